// Writing an answer or a note, each with a draft of its own: keeps them, sends with Ctrl+Enter (with Shift: and closes), puts
// in saved replies.
customElements.define("t-composer", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.text = this.querySelector("textarea");
    this.saved = this.querySelector("[data-saved]");
    this.kind = this.querySelector("[name=kind]:checked")?.value ?? "";
    this.other = this.dataset.other ?? "";
    this.addEventListener("input", this.typed);
    this.addEventListener("keydown", this.keyed);
    this.addEventListener("click", this.clicked);
    this.addEventListener("htmx:confirm", this.settling);
    this.addEventListener("htmx:beforeRequest", this.sending);
    window.addEventListener("pagehide", this.keep);
    this.show();
    if (this.hasAttribute("focus")) this.text.focus();
  }
  disconnectedCallback() {
    window.removeEventListener("pagehide", this.keep);
    if (!this.isSent) this.keep();
    clearTimeout(this.timer);
  }
  get isTyping() {
    return Date.now() - (this.typedAt ?? 0) < 8000;
  }
  typed = ({ target }) => {
    if (target !== this.text) return;
    const wasTyping = this.isTyping;
    this.typedAt = Date.now();
    this.isDirty = true;
    if (!wasTyping) this.closest("t-conversation")?.look();
    if (this.saved) this.saved.hidden = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.keep, 900);
    this.show();
  };
  // How much room is left, and what waits in the half that isn't on show.
  show() {
    const left = Number(this.dataset.limit) - [...this.text.value].length;
    const place = this.querySelector("[data-count]");
    if (place && this.dataset.limit) {
      place.hidden = left > 100;
      place.textContent = left;
      place.dataset.tone = left < 0 ? "late" : "";
    }
    for (const mark of this.querySelectorAll("[data-held]")) mark.hidden = mark.dataset.held === this.kind || !this.other;
    this.querySelector("[data-bring]").hidden = !this.other || !!this.text.value;
  }
  keep = () => {
    if (!this.isDirty) return;
    this.isDirty = false;
    this.send(this.kind, this.text.value);
  };
  send(kind, text) {
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const kept = fetch(this.dataset.draft, { method: "POST", headers, body: new URLSearchParams({ text, kind }), keepalive: true })
      .then((answer) => answer.ok && this.saved && !this.isDirty && kind === this.kind && (this.saved.hidden = !this.text.value))
      .catch(() => (this.isDirty = true));
    this.keeping = Promise.all([this.keeping, kept]);
  }
  turn(kind) {
    clearTimeout(this.timer);
    this.keep();
    [this.text.value, this.other] = [this.other, this.text.value];
    this.kind = kind;
    if (this.saved) this.saved.hidden = !this.text.value;
    this.show();
  }
  // What was begun on the wrong side is moved, never copied: a note that stays behind could be kept twice.
  bring() {
    this.text.value = this.other;
    this.other = "";
    this.send(this.kind === "note" ? "reply" : "note", "");
    this.text.focus();
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  }
  keyed = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      const buttons = [...this.querySelectorAll("button[data-send]")].filter((button) => button.checkVisibility());
      const isWanted = (button) => event.shiftKey === button.hasAttribute("data-closes");
      (buttons.find(isWanted) ?? buttons[0])?.click();
    }
  };
  clicked = (event) => {
    if (event.target.name === "kind") {
      if (event.target.value !== this.kind) this.turn(event.target.value);
      this.text.focus();
    }
    if (event.target.closest("[data-bring]")) this.bring();
    const link = event.target.closest("[data-insert]");
    if (!link) return;
    event.preventDefault();
    link.closest("details").open = false;
    this.text.setRangeText(link.dataset.insert, this.text.selectionStart, this.text.selectionEnd, "end");
    this.text.focus();
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // A draft that is on its way arrives before what it became, or it would be kept after it.
  settling = (event) => {
    if (!event.target.matches("button[data-send]")) return;
    clearTimeout(this.timer);
    this.isDirty = false;
    if (!this.keeping) return;
    event.preventDefault();
    const patience = new Promise((resolve) => setTimeout(resolve, 2000));
    Promise.race([this.keeping, patience]).then(() => event.detail.issueRequest(true));
  };
  sending = (event) => {
    if (!event.target.matches("button[data-send]")) return;
    this.isSent = true;
    this.typedAt = 0;
    this.closest("t-conversation")?.look();
  };
});
