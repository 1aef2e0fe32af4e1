// The moment in which an answer can still be taken back, counted down.
customElements.define("t-undo", class extends HTMLElement {
  connectedCallback() {
    this.ends = performance.now() + Number(this.dataset.left) * 1000;
    this.tick();
    this.timer = setInterval(() => this.tick(), 250);
  }
  disconnectedCallback() {
    clearInterval(this.timer);
  }
  tick() {
    const left = Math.max(0, (this.ends - performance.now()) / 1000);
    this.querySelector("progress").value = left;
    this.querySelector("[data-text]").textContent = this.dataset.text.replace("{n}", Math.ceil(left));
    if (left > 0) return;
    clearInterval(this.timer);
    this.querySelector("button").hidden = true;
    this.querySelector("[data-text]").textContent = this.dataset.gone;
    setTimeout(() => this.closest("t-conversation")?.news(), 1500);
  }
});
