// A search field over what is already on the page: hides the siblings that do not match.
customElements.define("t-filter", class extends HTMLElement {
  connectedCallback() {
    const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    this.addEventListener("input", ({ target }) => {
      const wanted = fold(target.value.trim());
      for (const each of this.parentElement.querySelectorAll("[data-filter]")) each.hidden = !fold(each.textContent).includes(wanted);
    });
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.parentElement.querySelector("[data-filter]:not([hidden])")?.click();
    });
  }
});
