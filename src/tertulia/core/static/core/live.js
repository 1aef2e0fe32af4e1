// The desk's news, as they happen. Others listen for live:activity, live:presence and live:state on the document.
customElements.define("t-live", class extends HTMLElement {
  connectedCallback() {
    this.source = new EventSource(this.getAttribute("src"));
    for (const kind of ["activity", "presence"])
      this.source.addEventListener(kind, ({ data }) => this.say(kind, JSON.parse(data)));
    this.source.addEventListener("open", () => this.say("state", { isOpen: true, isFirst: !this.hasOpened }) || (this.hasOpened = true));
    this.source.addEventListener("error", () => this.say("state", { isOpen: false }));
    window.addEventListener("pagehide", this.stop);
  }
  disconnectedCallback() {
    this.stop();
    window.removeEventListener("pagehide", this.stop);
  }
  stop = () => this.source?.close();
  say(kind, detail) {
    document.dispatchEvent(new CustomEvent(`live:${kind}`, { detail }));
  }
});
