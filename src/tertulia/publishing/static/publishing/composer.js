// The composer's page. htmx keeps the draft as one types and draws what is amiss; this keeps what was typed last when the
// tab is closed, says when all of it is kept, adds chosen pictures at once, puts chosen names into the text, and leaves
// nobody who writes by keyboard at the top of the page when its fields are drawn anew.
let before; // they were drawn anew: the button that asked for it, its part's text, and the descriptions that were there
customElements.define("t-writing", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.saved = this.querySelector("[data-saved]");
    this.addEventListener("input", this.typed);
    this.addEventListener("change", this.chosen);
    this.addEventListener("click", this.named);
    this.addEventListener("keydown", this.entered);
    this.addEventListener("htmx:confirm", this.beginning);
    this.addEventListener("htmx:beforeRequest", this.asking);
    this.addEventListener("htmx:afterRequest", this.kept);
    this.addEventListener("htmx:beforeSwap", this.drawing);
    this.addEventListener("htmx:afterSwap", this.drawn);
    this.form.addEventListener("submit", this.leaving);
    window.addEventListener("pagehide", this.keep);
    // So that the list before leaving can say what hour it is where the writer is.
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.cookie = `zone=${zone}; path=/; max-age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
    this.goOn();
  }
  disconnectedCallback() {
    window.removeEventListener("pagehide", this.keep);
  }
  typed = () => {
    this.isDirty = true;
    this.isLeaving = false;
    this.pressed = undefined;
    this.saved.hidden = true;
  };
  chosen = ({ target }) => {
    if (target.type === "file" && target.files.length) target.closest(".pictures").querySelector("[data-attach]").click();
  };
  // Enter in the search of the library would hand the whole form in.
  entered = (event) => {
    if (event.key === "Enter" && event.target.matches(".pictures__search")) event.preventDefault();
  };
  // Who is chosen from the list of names is put where one was writing.
  named = ({ target }) => {
    const button = target.closest(".names [data-insert]");
    if (!button) return;
    const field = button.closest(".part").querySelector("textarea");
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    button.closest("details").open = false;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  drawing = ({ target, detail }) => {
    this.opened = [...target.querySelectorAll(".worded[open]")].map(({ id }) => id);
    const [focused, asked] = [document.activeElement, detail.requestConfig.elt];
    const isThere = focused === asked || focused === document.body || focused.type === "file";
    if (target !== this || !isThere) return; // who went on meanwhile is left there
    const pictures = new Set([...this.querySelectorAll(".shown textarea")].map(({ id }) => id));
    before = { pictures, button: asked.value ?? "", isByKeys: focused.matches(":focus-visible"), text: asked.closest(".part")?.querySelector("textarea").id };
  };
  // Other wordings that somebody looks at stay open.
  drawn = () => {
    for (const id of this.opened ?? []) document.getElementById(id)?.setAttribute("open", "");
  };
  // With the description of a picture that is new; who works by keyboard else with the same button, or with what stood
  // beside the one that is gone: the text of its part, the last text of its account, that account.
  goOn() {
    if (!before) return;
    const { pictures, button, isByKeys, text } = before;
    before = undefined;
    if (this.querySelector("[autofocus]")) return;
    const isAdded = /^(attach|use)/.test(button);
    const fresh = isAdded && [...this.querySelectorAll(".shown textarea")].find(({ id }) => !pictures.has(id));
    if (fresh || !isByKeys) return fresh && fresh.focus();
    const same = [...this.querySelectorAll("button[name=do]")].find(({ value }) => value === button);
    const part = text && this.querySelector(`#${CSS.escape(text)}`);
    const account = button.match(/^[a-z]+\.(\d+)/)?.[1];
    const texts = this.querySelectorAll(account ? `[name="text.${account}"]` : "[name=text]");
    const summary = account && this.querySelector(`[name=accounts][value="${account}"]`).closest(".writer__account").querySelector("summary");
    (same ?? (part || [...texts].at(-1) || summary)).focus();
  }
  // What is on its way to the draft is waited for before all is handed in: broken off, the server would still keep it, and
  // the next post begin with it. Who presses again doesn't wait.
  beginning = (event) => {
    if (this.isLeaving && event.detail.elt.id === "checked") event.preventDefault();
  };
  asking = ({ detail }) => {
    if (detail.requestConfig.verb === "get") return; // a list to choose from: that keeps nothing
    this.isDirty = false;
    this.isKeeping = detail.elt.id === "checked";
  };
  kept = ({ detail }) => {
    if (detail.requestConfig.verb === "get") return;
    if (!detail.successful) this.isDirty = true;
    this.saved.hidden = this.isDirty;
    this.isKeeping = false;
    if (this.isLeaving && this.pressed) this.form.requestSubmit(this.pressed);
  };
  leaving = (event) => {
    this.isLeaving = !event.submitter?.hasAttribute("hx-post");
    if (!this.isLeaving || !this.isKeeping || this.pressed) return;
    event.preventDefault();
    this.pressed = event.submitter;
  };
  keep = () => {
    if (!this.isDirty || this.isLeaving) return;
    this.isDirty = false;
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    const body = new URLSearchParams([...new FormData(this.form)].filter(([, value]) => typeof value === "string"));
    fetch(this.dataset.draft, { method: "POST", headers, body, keepalive: true }).catch(() => (this.isDirty = true));
  };
});
