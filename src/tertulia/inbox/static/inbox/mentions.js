// In a note, @ proposes the people of the team.
customElements.define("t-mentions", class extends HTMLElement {
  connectedCallback() {
    this.text = this.closest("form").querySelector("textarea");
    this.text.addEventListener("input", this.propose);
    this.text.addEventListener("keydown", this.choose);
    this.text.addEventListener("blur", () => setTimeout(() => (this.hidden = true), 150));
    this.addEventListener("mousedown", (event) => event.preventDefault());
    this.addEventListener("click", ({ target }) => this.put(target.closest("[data-name]")));
  }
  get shown() {
    return [...this.querySelectorAll("[data-name]:not([hidden])")];
  }
  propose = () => {
    const isNote = this.text.form.elements.kind.value === "note";
    this.word = isNote && /(?:^|\s)@([\p{L}\p{N}._-]*)$/u.exec(this.text.value.slice(0, this.text.selectionStart));
    const start = this.word && fold(this.word[1]);
    for (const each of this.querySelectorAll("[data-name]")) each.hidden = !this.word || !fold(each.dataset.name).startsWith(start);
    this.hidden = !this.word || !this.shown.length;
    this.point(0);
  };
  point(at) {
    this.shown.forEach((each, index) => each.setAttribute("aria-selected", index === at));
  }
  choose = (event) => {
    if (this.hidden) return;
    const at = this.shown.findIndex((each) => each.ariaSelected === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.point((at + (event.key === "ArrowDown" ? 1 : -1) + this.shown.length) % this.shown.length);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") this.put(this.shown[at]);
    else if (event.key === "Escape") this.hidden = true;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  put(choice) {
    if (!choice) return;
    const end = this.text.selectionStart;
    this.text.setRangeText(`${choice.dataset.name} `, end - this.word[1].length, end, "end");
    this.hidden = true;
    this.text.focus();
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  }
});
const fold = (word) => word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
