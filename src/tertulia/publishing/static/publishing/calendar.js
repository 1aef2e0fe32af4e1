// Moving posts on the calendar: with the mouse onto another day, or with Alt and the arrows. A form on the post's own page
// does the same without this.
customElements.define("t-calendar", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("dragstart", this.taken);
    this.addEventListener("dragover", this.over);
    this.addEventListener("dragend", this.done);
    this.addEventListener("drop", this.dropped);
    this.addEventListener("keydown", this.keyed);
  }
  taken = (event) => {
    this.held = event.target.closest("[data-move]");
    if (!this.held) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.held.id);
    this.held.toggleAttribute("data-held", true);
  };
  over = (event) => {
    const day = this.held && event.target.closest("[data-day]");
    this.mark(day);
    if (day) event.preventDefault();
  };
  mark(day) {
    for (const each of this.querySelectorAll("[data-over]")) if (each !== day) each.removeAttribute("data-over");
    day?.toggleAttribute("data-over", true);
  }
  done = () => {
    this.mark(null);
    this.held?.removeAttribute("data-held");
    this.held = null;
  };
  dropped = (event) => {
    const day = event.target.closest("[data-day]");
    const held = this.held;
    if (!day || !held) return;
    event.preventDefault();
    this.done();
    if (day.dataset.day !== held.dataset.on) this.move(held, day.dataset.day);
  };
  keyed = (event) => {
    const days = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    const entry = event.altKey && days && event.target.closest("[data-move]");
    if (!entry) return;
    event.preventDefault();
    const on = new Date(`${entry.dataset.on}T00:00Z`);
    on.setUTCDate(on.getUTCDate() + days);
    this.move(entry, on.toISOString().slice(0, 10));
  };
  async move({ id, dataset }, on) {
    if (this.isMoving) return;
    this.isMoving = true;
    const { view, shown } = this.querySelector("#calendar").dataset;
    const values = { on, view, shown };
    try {
      await htmx.ajax("POST", dataset.move, { target: "#calendar", swap: "outerHTML", values });
    } finally {
      this.isMoving = false;
    }
    const moved = document.getElementById(id);
    moved?.querySelector("a").focus();
    const day = moved?.closest("[data-day]")?.getAttribute("aria-label") ?? moved?.dataset.on;
    if (day) this.querySelector("[data-says]").textContent = this.dataset.moved.replace("{day}", day);
  }
});
