// Who else is here. One element says who looks, another who is answering; both hear the same news.
customElements.define("t-presence", class extends HTMLElement {
  connectedCallback() {
    this.people = new Map(JSON.parse(this.dataset.people || "[]").map(([id, name, typing]) => [id, { name, typing, at: Date.now() }]));
    document.addEventListener("live:presence", this.heard);
    this.timer = setInterval(() => this.show(), 5000);
    this.show();
  }
  disconnectedCallback() {
    document.removeEventListener("live:presence", this.heard);
    clearInterval(this.timer);
  }
  heard = ({ detail }) => {
    if (String(detail.conversation) !== this.dataset.conversation || String(detail.user) === this.dataset.me) return;
    this.people.set(detail.user, { name: detail.name, typing: detail.typing, at: Date.now() });
    this.show();
  };
  show() {
    for (const [id, { at }] of this.people) if (Date.now() - at > 25_000) this.people.delete(id);
    const wanted = [...this.people.values()].filter(({ typing }) => this.dataset.shows === "looking" || typing);
    const names = new Intl.ListFormat(document.documentElement.lang).format(wanted.map(({ name }) => name));
    this.hidden = !wanted.length;
    const text = wanted.length === 1 ? this.dataset.one : this.dataset.many;
    this.querySelector("[data-text]").textContent = wanted.length ? text.replace("{names}", names) : "";
  }
});
