// Reading by keyboard: in the list j and k move and o opens; there and in an article s puts a star on or takes it off.
customElements.define("t-reading", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("keydown", this.press);
  }
  disconnectedCallback() {
    document.removeEventListener("keydown", this.press);
  }
  press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const rows = [...this.querySelectorAll(".row")];
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const step = { j: 1, k: -1 }[event.key];
    if (step) {
      const next = rows[Math.min(rows.length - 1, Math.max(0, here + (here < 0 ? 1 : step)))];
      next?.querySelector(".row__link").focus();
      next?.scrollIntoView({ block: "nearest" });
      return;
    }
    const chosen = rows.length ? rows[here] : this;
    if (event.key === "o") chosen?.querySelector(".row__link")?.click();
    if (event.key === "s") chosen?.querySelector(".star").requestSubmit();
  };
});
