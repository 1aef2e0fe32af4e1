// <t-copy> puts the text of its field into the clipboard; without permission it is selected, ready for Ctrl+C.
customElements.define("t-copy", class extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("textarea, input");
    const word = this.querySelector("button span");
    this.querySelector("button").addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        word.textContent = this.dataset.done;
      } catch {
        field.focus();
      }
    });
  }
});
