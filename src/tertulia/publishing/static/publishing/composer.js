// The composer's page. htmx keeps the draft as one types and draws what is amiss; this keeps what was typed last when the
// tab is closed, says when all of it is kept, and adds chosen pictures at once.
customElements.define("t-writing", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.saved = this.querySelector("[data-saved]");
    this.addEventListener("input", this.typed);
    this.addEventListener("change", this.chosen);
    this.addEventListener("htmx:beforeRequest", this.asking);
    this.addEventListener("htmx:afterRequest", this.kept);
    this.form.addEventListener("submit", this.leaving);
    window.addEventListener("pagehide", this.keep);
  }
  disconnectedCallback() {
    window.removeEventListener("pagehide", this.keep);
  }
  typed = () => {
    this.isDirty = true;
    this.saved.hidden = true;
  };
  chosen = ({ target }) => {
    if (target.type === "file" && target.files.length) target.closest(".pictures").querySelector("[data-attach]").click();
  };
  asking = () => {
    this.isDirty = false;
  };
  kept = ({ detail }) => {
    if (!detail.successful) this.isDirty = true;
    this.saved.hidden = this.isDirty;
  };
  leaving = ({ submitter }) => {
    if (!submitter?.hasAttribute("hx-post")) this.isDirty = false;
  };
  keep = () => {
    if (!this.isDirty) return;
    this.isDirty = false;
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const body = new URLSearchParams([...new FormData(this.form)].filter(([, value]) => typeof value === "string"));
    fetch(this.dataset.draft, { method: "POST", headers, body, keepalive: true }).catch(() => (this.isDirty = true));
  };
});
