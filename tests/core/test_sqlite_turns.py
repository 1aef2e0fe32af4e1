"""Threads take turns at writing to SQLite: in the order of asking, those in a hurry first."""

import threading
import time

from tertulia.core.sqlite3.base import Turn


def waiting(turn: Turn, name: str, order: list[str], *, in_a_hurry: bool = False) -> threading.Thread:
    def work() -> None:
        assert turn.take(in_a_hurry=in_a_hurry)
        order.append(name)
        turn.give_back()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.05)
    return thread


def test_the_turn_goes_to_those_in_a_hurry_and_then_by_order():
    turn, order = Turn(), []
    assert turn.take(in_a_hurry=False)
    threads = [waiting(turn, "first", order), waiting(turn, "second", order)]
    threads.append(waiting(turn, "hurried", order, in_a_hurry=True))
    turn.give_back()
    for thread in threads:
        thread.join(2)
    assert order == ["hurried", "first", "second"]
    assert turn.take(in_a_hurry=False)


def test_who_waits_in_vain_leaves_the_line():
    turn = Turn()
    turn.take(in_a_hurry=False)
    assert not turn.take(in_a_hurry=True, patience=0.05)
    turn.give_back()
    assert turn.take(in_a_hurry=False, patience=0.05)
