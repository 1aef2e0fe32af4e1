// <t-copy> puts the text of its field, or of its code, into the clipboard; without permission it is selected.
customElements.define("t-copy", class extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("textarea, input, code");
    const word = this.querySelector("button span");
    this.querySelector("button").addEventListener("click", async () => {
      field.select ? field.select() : getSelection().selectAllChildren(field);
      try {
        await navigator.clipboard.writeText(field.value ?? field.textContent);
        word.textContent = this.dataset.done;
      } catch {
        field.focus(); // ready for Ctrl+C
      }
    });
  }
});
