// Proposes the time zone and the country of this computer, on the form nobody has filled in yet.
customElements.define("t-time-zone", class extends HTMLElement {
  connectedCallback() {
    if (document.querySelector(".field__error")) return;
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const country = new Intl.Locale(navigator.language).region ?? "";
    const choose = (select, value) => {
      if (select && [...select.options].some((option) => option.value === value)) select.value = value;
    };
    choose(this.querySelector("select"), here);
    if (!here.startsWith("Europe/Madrid")) choose(this.closest("form").elements.country, country);
  }
});
