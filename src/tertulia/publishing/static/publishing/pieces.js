// Saved pieces of a part: put in from the menu, or proposed as one types / and the beginning of a title's word.
customElements.define("t-pieces", class extends HTMLElement {
  connectedCallback() {
    this.text = this.closest(".part").querySelector("textarea[name^=text]");
    this.list = this.querySelector("[role=listbox]");
    this.text.addEventListener("input", this.propose);
    this.text.addEventListener("keydown", this.choose);
    this.text.addEventListener("blur", () => setTimeout(() => (this.list.hidden = true), 150));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.addEventListener("click", this.clicked);
  }
  get shown() {
    return [...this.list.querySelectorAll("[data-insert]:not([hidden])")];
  }
  clicked = (event) => {
    const choice = event.target.closest("[data-insert]");
    if (!choice) return;
    event.preventDefault();
    if (!this.list.contains(choice)) this.word = null;
    this.put(choice);
  };
  propose = async () => {
    this.word = /(?:^|\s)\/([\p{L}\p{N}_-]*)$/u.exec(this.text.value.slice(0, this.text.selectionStart));
    if (this.word && !this.isLoaded) await this.load();
    const start = this.word && this.fold(this.word[1]);
    const isMeant = ({ dataset }) => this.word && this.fold(dataset.name).split(/\s+/).some((word) => word.startsWith(start));
    for (const each of this.list.children) each.hidden = !isMeant(each);
    this.list.hidden = !this.word || !this.shown.length;
    this.point(0);
  };
  async load() {
    this.isLoaded = true;
    try {
      const answer = await fetch(this.dataset.choices, { headers: { "HX-Request": "true" } });
      const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
      this.list.replaceChildren(...page.querySelectorAll("[data-insert]"));
      for (const each of this.list.children) each.setAttribute("role", "option");
    } catch {
      this.isLoaded = false;
    }
  }
  fold = (word) => word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  point(at) {
    this.shown.forEach((each, index) => each.setAttribute("aria-selected", index === at));
  }
  choose = (event) => {
    if (this.list.hidden) return;
    const at = this.shown.findIndex((each) => each.ariaSelected === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.point((at + (event.key === "ArrowDown" ? 1 : -1) + this.shown.length) % this.shown.length);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") this.put(this.shown[at]);
    else if (event.key === "Escape") this.list.hidden = true;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  put(choice) {
    if (!choice) return;
    const { selectionStart, selectionEnd } = this.text;
    const begin = this.word ? selectionEnd - this.word[1].length - 1 : selectionStart;
    this.text.setRangeText(choice.dataset.insert, begin, selectionEnd, "end");
    this.list.hidden = true;
    this.querySelector("details").open = false;
    this.text.focus();
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  }
});
