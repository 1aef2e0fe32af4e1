// Moving posts on the calendar: onto another day with the mouse, with a finger that rests on one first, or with Alt and the
// arrows; on a board, of posts or of ideas, into another column. Forms on the page do the same without this.
customElements.define("t-calendar", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("dragstart", this.taken);
    this.addEventListener("dragover", this.over);
    this.addEventListener("dragend", this.done);
    this.addEventListener("drop", this.dropped);
    this.addEventListener("keydown", this.keyed);
    this.addEventListener("click", this.clicked, true);
    this.addEventListener("pointerdown", this.touched);
    this.addEventListener("pointermove", this.wandered);
    this.addEventListener("pointerup", this.lifted);
    this.addEventListener("pointercancel", this.lost);
    this.addEventListener("touchmove", this.kept, { passive: false });
    this.addEventListener("contextmenu", this.kept);
  }
  taken = (event) => {
    const held = event.target.closest("[data-move], [data-card]");
    if (!held) return;
    if (this.finger) return event.preventDefault(); // a finger has its own way, below
    this.hold(held);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", held.id);
  };
  hold(held) {
    this.held = held;
    held.toggleAttribute("data-held", true);
  }
  place = (element) => element?.closest(this.held?.dataset.card ? "[data-column]" : "[data-day]");
  over = (event) => {
    const place = this.held && this.place(event.target);
    this.mark(place);
    if (place) event.preventDefault();
  };
  mark(place) {
    for (const each of this.querySelectorAll("[data-over]")) if (each !== place) each.removeAttribute("data-over");
    place?.toggleAttribute("data-over", true);
  }
  done = () => {
    clearTimeout(this.resting);
    cancelAnimationFrame(this.rolling);
    this.mark(null);
    this.held?.removeAttribute("data-held");
    this.shadow?.remove();
    this.removeAttribute("data-holding");
    this.held = this.finger = this.shadow = this.rolling = null;
  };
  dropped = (event) => {
    const held = this.held;
    const place = held && this.place(event.target);
    if (!place) return;
    event.preventDefault();
    this.done();
    this.put(held, place);
  };
  put(held, place) {
    if (held.dataset.card) this.putInto(held, place);
    else if (place.dataset.day !== held.dataset.on) this.move(held, place.dataset.day);
  }

  // With a finger: it rests, then the post follows. One that moves at once scrolls the page as ever.
  touched = (event) => {
    if (event.pointerType === "mouse" || this.finger || this.isMoving) return;
    const held = event.target.closest("[data-move], [data-card]");
    if (!held || !event.isPrimary || !this.querySelector("[data-day], [data-column]")) return;
    this.finger = { id: event.pointerId, x: event.clientX, y: event.clientY };
    this.resting = setTimeout(() => this.lift(held), 400);
  };
  lift(held) {
    const before = held.getBoundingClientRect();
    this.hold(held);
    this.setPointerCapture(this.finger.id);
    this.toggleAttribute("data-holding", true); // a phone shows its empty days now: the held one stays under the finger
    scrollBy(0, held.getBoundingClientRect().top - before.top);
    this.shadow = held.cloneNode(true);
    this.shadow.removeAttribute("id");
    this.shadow.classList.add("shadow");
    this.shadow.setAttribute("aria-hidden", "true");
    this.shadow.style.inlineSize = `${before.width}px`;
    document.body.append(this.shadow);
    navigator.vibrate?.(15);
    this.follow();
    this.roll();
  }
  wandered = (event) => {
    if (event.pointerId !== this.finger?.id) return;
    const { x, y } = this.finger;
    if (!this.held) {
      if (Math.hypot(event.clientX - x, event.clientY - y) > 8) this.done();
      return;
    }
    Object.assign(this.finger, { x: event.clientX, y: event.clientY });
    this.follow();
  };
  follow() {
    const { x, y } = this.finger;
    this.shadow.style.transform = `translate(${x - 24}px, ${y - 44}px)`;
    this.mark(this.place(this.under()));
  }
  under = () => this.finger && document.elementFromPoint(this.finger.x, this.finger.y);
  roll = () => {
    if (!this.held || !this.finger) return;
    const edge = 96;
    const { y } = this.finger;
    const speed = y < edge ? (y - edge) / 8 : y > innerHeight - edge ? (y - innerHeight + edge) / 8 : 0;
    if (speed) {
      scrollBy(0, speed);
      this.mark(this.place(this.under()));
    }
    this.rolling = requestAnimationFrame(this.roll);
  };
  lifted = (event) => {
    if (event.pointerId !== this.finger?.id) return;
    const held = this.held;
    const place = held && this.place(this.under());
    this.done();
    if (!held) return;
    this.justMoved = event.timeStamp;
    if (place) this.put(held, place);
  };
  lost = (event) => {
    if (event.pointerId === this.finger?.id) this.done(); // a mouse loses its pointer too when it drags, and goes on
  };
  kept = (event) => {
    const isMine = this.held || (this.finger && event.type === "contextmenu");
    if (isMine && event.cancelable) event.preventDefault();
  };
  clicked = (event) => {
    if (event.timeStamp - this.justMoved < 400) return event.preventDefault(); // it was let go, not followed
    const earlier = event.target.closest("[data-earlier]");
    if (earlier) earlier.setAttribute("aria-expanded", earlier.ariaExpanded !== "true");
    const card = event.target.closest("[data-queue]")?.closest("[data-card]");
    if (card) this.send(card.dataset.card, card.id, {});
  };

  keyed = (event) => {
    if (event.key === "Escape" && this.held) return this.done();
    const card = event.altKey && event.target.closest("[data-card]");
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (card && step) {
      event.preventDefault();
      const columns = [...this.querySelectorAll("[data-column]")];
      const beside = columns[columns.indexOf(card.closest("[data-column]")) + step];
      return beside && this.putInto(card, beside);
    }
    const days = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    const entry = event.altKey && days && event.target.closest("[data-move]");
    if (!entry) return;
    event.preventDefault();
    const on = new Date(`${entry.dataset.on}T00:00Z`);
    on.setUTCDate(on.getUTCDate() + days);
    this.move(entry, on.toISOString().slice(0, 10));
  };
  async move({ id, dataset }, on) {
    const moved = await this.send(dataset.move, id, { on });
    const day = moved?.closest("[data-day]")?.getAttribute("aria-label") ?? moved?.dataset.on;
    if (day) this.say(this.dataset.moved.replace("{day}", day));
  }
  async putInto(held, column) {
    const { column: to, why } = column.dataset;
    if (to === held.dataset.from) return;
    if (!why) {
      const moved = await this.send(held.dataset.card, held.id, { to, board: 1 });
      const name = moved?.closest("[data-column]").getAttribute("aria-label");
      if (name) this.say(this.dataset.moved.replace("{day}", name));
      return;
    }
    this.say(why);
    const toast = document.createElement("t-toast");
    toast.className = "toast";
    toast.textContent = why;
    document.getElementById("toasts")?.append(toast);
  }
  async send(address, id, what) {
    if (this.isMoving) return null;
    this.isMoving = true;
    const shown = this.querySelector("section");
    const target = `#${shown.id}`;
    try {
      await htmx.ajax("POST", address, { target, swap: "outerHTML", values: { ...what, ...shown.dataset } });
    } finally {
      this.isMoving = false;
    }
    const moved = document.getElementById(id);
    moved?.querySelector("a").focus();
    return moved;
  }
  say(words) {
    this.querySelector("[data-says]").textContent = words;
  }
});
