// The list: j and k move, Enter opens, and what happens elsewhere shows up by itself without moving what is read.
customElements.define("t-rows", class extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector("ol");
    this.addEventListener("click", () => (this.scrolled = window.scrollY));
    document.addEventListener("keydown", this.move);
    document.addEventListener("live:activity", this.soon);
    document.addEventListener("live:state", this.again);
    document.addEventListener("visibilitychange", this.again);
    document.addEventListener("htmx:pushedIntoHistory", this.mark);
    document.addEventListener("htmx:afterRequest", this.acted);
    this.minute = setInterval(this.again, 60_000);
  }
  disconnectedCallback() {
    document.removeEventListener("keydown", this.move);
    document.removeEventListener("live:activity", this.soon);
    document.removeEventListener("live:state", this.again);
    document.removeEventListener("visibilitychange", this.again);
    document.removeEventListener("htmx:pushedIntoHistory", this.mark);
    document.removeEventListener("htmx:afterRequest", this.acted);
    clearInterval(this.minute);
  }
  get links() {
    return [...this.list.querySelectorAll(".row__link")];
  }
  move = (event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const links = this.links;
    let here = links.indexOf(document.activeElement);
    if (here < 0) here = links.findIndex((link) => link.ariaCurrent);
    // What was open may have left the list: down is then what slid into its place, up what stood above.
    if (here < 0 && this.place >= 0) here = this.place - (step > 0 ? 1 : 0);
    const next = links[Math.min(links.length - 1, Math.max(0, here < 0 && step < 0 ? 0 : here + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  mark = () => {
    this.links.forEach((link, at) => {
      const isOpen = link.pathname === location.pathname;
      link.ariaCurrent = isOpen ? "true" : null;
      if (isOpen) this.place = at;
    });
  };
  soon = () => {
    this.timer ??= setTimeout(() => this.refresh(), 250);
  };
  again = ({ detail } = {}) => {
    if (!document.hidden && !detail?.isFirst && detail?.isOpen !== false) this.soon();
  };
  acted = ({ detail }) => {
    // Opening a conversation reads it, and so does every act: the row changes even where nothing is live.
    if (detail.successful && detail.target.id !== "rows") this.soon();
  };
  async refresh() {
    const address = new URL(this.getAttribute("src"), location.href);
    address.searchParams.set("limit", Math.max(25, this.list.children.length));
    const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "rows" } }).catch(() => null);
    this.timer = null;
    if (answer?.ok && !answer.redirected) this.merge(await answer.text());
  }
  merge(html) {
    const news = document.createElement("template");
    news.innerHTML = html;
    const focused = document.activeElement?.closest?.("li.row")?.id;
    const rows = [...news.content.querySelectorAll("li.row")].map((fresh) => {
      const old = document.getElementById(fresh.id);
      if (old && old.dataset.mark === fresh.dataset.mark) return old;
      if (!old) fresh.dataset.fresh = "";
      return fresh;
    });
    const changed = rows.some((row, at) => row !== this.list.children[at]) || rows.length !== this.list.children.length;
    if (changed) {
      this.mark();
      this.list.replaceChildren(...rows);
      htmx.process(this.list);
      this.mark();
      if (focused) document.getElementById(focused)?.querySelector(".row__link").focus({ preventScroll: true });
    }
    for (const part of news.content.querySelectorAll("[hx-swap-oob]")) {
      const place = document.getElementById(part.id);
      part.removeAttribute("hx-swap-oob");
      if (place && place.innerHTML !== part.innerHTML) place.replaceWith(part), htmx.process(part);
    }
  }
});
