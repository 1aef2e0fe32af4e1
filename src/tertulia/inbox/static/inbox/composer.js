// Writing an answer or a note: keeps the draft, sends with Ctrl+Enter (with Shift: and closes), puts in saved replies.
customElements.define("t-composer", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.text = this.querySelector("textarea");
    this.saved = this.querySelector("[data-saved]");
    this.addEventListener("input", this.typed);
    this.addEventListener("keydown", this.keyed);
    this.addEventListener("click", this.clicked);
    this.addEventListener("htmx:beforeRequest", this.sending);
    window.addEventListener("pagehide", this.keep);
    this.count();
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
    this.count();
  };
  count() {
    const left = Number(this.dataset.limit) - [...this.text.value].length;
    const place = this.querySelector("[data-count]");
    if (!place || !this.dataset.limit) return;
    place.hidden = left > 100;
    place.textContent = left;
    place.dataset.tone = left < 0 ? "late" : "";
  }
  keep = () => {
    if (!this.isDirty) return;
    this.isDirty = false;
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const body = new URLSearchParams({ text: this.text.value, kind: new FormData(this.form).get("kind") ?? "" });
    fetch(this.dataset.draft, { method: "POST", headers, body, keepalive: true })
      .then((answer) => answer.ok && this.saved && (this.saved.hidden = !this.text.value))
      .catch(() => (this.isDirty = true));
  };
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
      this.text.focus();
      this.isDirty = true;
      this.keep();
    }
    const link = event.target.closest("[data-insert]");
    if (!link) return;
    event.preventDefault();
    link.closest("details").open = false;
    this.text.setRangeText(link.dataset.insert, this.text.selectionStart, this.text.selectionEnd, "end");
    this.text.focus();
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  sending = (event) => {
    if (!event.target.matches("button[data-send]")) return;
    clearTimeout(this.timer);
    this.isDirty = false;
    this.isSent = true;
    this.typedAt = 0;
    this.closest("t-conversation")?.look();
  };
});
