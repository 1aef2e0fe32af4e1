// Says that something slow is under way: inside a form, <t-busy hidden>…</t-busy> shows itself once the form is sent.
customElements.define("t-busy", class extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.form.addEventListener("submit", this.show);
    window.addEventListener("pageshow", this.hide);
  }
  show = () => {
    this.hidden = false;
    for (const button of this.form.querySelectorAll("button")) button.ariaDisabled = true;
    this.form.addEventListener("submit", this.stop);
  };
  hide = ({ persisted }) => persisted && location.reload();
  stop = (event) => event.preventDefault();
});
