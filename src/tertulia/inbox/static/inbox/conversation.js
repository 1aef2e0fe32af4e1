// The open conversation: asks for what is new when something happened, says that somebody is looking at it.
customElements.define("t-conversation", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("live:activity", this.heard);
    document.addEventListener("live:state", this.again);
    this.addEventListener("htmx:beforeSwap", this.place);
    this.querySelector("[data-back]")?.addEventListener("click", this.back);
    this.beat = setInterval(this.look, 10_000);
    this.look();
  }
  disconnectedCallback() {
    document.removeEventListener("live:activity", this.heard);
    document.removeEventListener("live:state", this.again);
    clearInterval(this.beat);
  }
  heard = ({ detail }) => {
    const isMine = detail.kind === "inbox.conversation" && String(detail.on) === this.dataset.id;
    if (isMine || detail.type === "many") this.news();
  };
  again = ({ detail }) => {
    if (detail.isOpen && !detail.isFirst) this.news();
  };
  news() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.isWaiting) this.news();
      else htmx.trigger(this.querySelector("[data-news]"), "news");
    }, 120);
  }
  // Something here waits for its answer: were it replaced meanwhile, what comes back would find no place. Nor is a menu
  // taken from under somebody's hands.
  get isWaiting() {
    return this.querySelector(".htmx-request:not([data-news]), #conversation-thread .menu[open]") !== null;
  }
  place = ({ detail }) => {
    const isNews = detail.requestConfig.elt.matches("[data-news]");
    if (this.isConnected && !(isNews && this.isWaiting)) return;
    detail.shouldSwap = false;
    if (this.isConnected) this.news();
  };
  // One at a time: "looks" that arrives after "writes" would take it back.
  look = () => {
    if (document.hidden) return;
    this.looksAgain = this.isLooking;
    if (this.isLooking) return;
    this.isLooking = true;
    const typing = this.querySelector("t-composer")?.isTyping ? "1" : "";
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" };
    fetch(this.dataset.presence, { method: "POST", headers, body: new URLSearchParams({ typing }) }).catch(() => {}).finally(() => {
      this.isLooking = false;
      if (this.looksAgain && this.isConnected) this.look();
    });
  };
  back = (event) => {
    // On a phone the list is still there, at the place where it was left.
    if (!document.querySelector("t-rows .row")) return;
    event.preventDefault();
    history.pushState(null, "", event.currentTarget.href);
    this.remove();
    window.scrollTo(0, document.querySelector("t-rows").scrolled ?? 0);
  };
});
