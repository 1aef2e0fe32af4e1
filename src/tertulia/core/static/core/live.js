// The desk's news as they happen: <t-live src="/live/desk/<brand>/"><p hidden>…not live…</p></t-live>
//
// Dispatches on document, the data as `detail`:
//   live:activity  {id, type, kind, on, by, data}; type "many": a lot happened at once, reload whatever you show
//   live:presence  {conversation, user, name, typing}
//   live:state     {isOpen, isFirst}: with every connection made or lost; what was missed meanwhile is told afterwards
// After 20 seconds without a connection it carries data-lost and shows its child; both go by themselves.
//
// The tabs of a browser share one connection, since it opens only six to one server: the tab that holds the lock
// tells the others. Without a secure context there are no locks; then every tab has its own.
customElements.define("t-live", class extends HTMLElement {
  connectedCallback() {
    this.src = this.getAttribute("src");
    this.recent = [];
    this.downAt = this.heardAt = Date.now();
    this.channel = new BroadcastChannel(`live ${this.src}`);
    this.channel.onmessage = ({ data }) => (data.since ? this.tellAgain(data.since) : this.hear(data));
    this.timer = setInterval(() => this.check(), 2000);
    window.addEventListener("pagehide", this.stop);
    window.addEventListener("pageshow", this.restart);
    if (navigator.locks) {
      this.channel.postMessage({ since: performance.timeOrigin });
      this.waiting = new AbortController();
      navigator.locks.request(`live ${this.src}`, { signal: this.waiting.signal }, () => this.lead()).catch(() => {});
    } else this.lead();
  }
  disconnectedCallback() {
    this.stop();
    window.removeEventListener("pagehide", this.stop);
    window.removeEventListener("pageshow", this.restart);
  }
  stop = () => {
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.source?.close();
    this.channel.close();
    this.waiting?.abort();
    this.release?.();
  };
  restart = ({ persisted }) => persisted && this.connectedCallback();
  lead() {
    this.wait = 1000;
    this.open();
    return new Promise((release) => (this.release = release));
  }
  open() {
    this.source?.close();
    const address = new URL(this.src, location.href);
    if (this.last) address.searchParams.set("after", this.last);
    else address.searchParams.set("age", Math.ceil((Date.now() - performance.timeOrigin) / 1000));
    const source = (this.source = new EventSource(address));
    source.addEventListener("hello", () => {
      this.wait = 1000;
      this.tell({ kind: "state", detail: { isOpen: true } });
    });
    for (const kind of ["activity", "presence", "beat"])
      source.addEventListener(kind, ({ data }) => this.tell({ kind, detail: JSON.parse(data) }));
    source.addEventListener("error", () => {
      if (!this.downAt) this.tell({ kind: "state", detail: { isOpen: false } });
      if (source.readyState === EventSource.CLOSED) this.again();
    });
  }
  again() {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 2, 30_000);
  }
  tell(news) {
    this.channel.postMessage(news);
    this.recent = [...this.recent.filter(({ at }) => Date.now() - at < 30_000), { at: Date.now(), news }];
    this.hear(news);
  }
  // A tab that has just opened may have missed what happened since its page was drawn.
  tellAgain(since) {
    if (!this.source) return;
    if (!this.downAt) this.channel.postMessage({ kind: "state", detail: { isOpen: true } });
    for (const { at, news } of this.recent) if (at >= since && news.kind !== "state") this.channel.postMessage(news);
  }
  hear({ kind, detail }) {
    this.heardAt = Date.now();
    if (kind === "activity") this.last = Math.max(this.last ?? 0, detail.id);
    if (kind === "state") return this.change(detail.isOpen);
    if (this.downAt) this.change(true);
    if (kind !== "beat") this.say(kind, detail);
  }
  change(isOpen) {
    if (isOpen === !this.downAt) return;
    this.downAt = isOpen ? 0 : Date.now();
    this.say("state", { isOpen, isFirst: isOpen && !this.hasOpened });
    this.hasOpened ||= isOpen;
    this.check();
  }
  check() {
    const isSilent = Date.now() - this.heardAt > 40_000;
    if (isSilent && this.source && !this.downAt) this.change(false), this.again();
    const isLost = isSilent || (this.downAt > 0 && Date.now() - this.downAt > 20_000);
    this.toggleAttribute("data-lost", isLost);
    for (const child of this.children) child.hidden = !isLost;
  }
  say(kind, detail) {
    document.dispatchEvent(new CustomEvent(`live:${kind}`, { detail }));
  }
});
