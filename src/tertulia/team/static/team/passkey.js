// <t-passkey> asks the device for a passkey when its form is sent, and puts the answer into the form.
// data-act: "login" and "check" prove who one is, "add" makes a new key. data-options: the id of the JSON with what
// the server asks for; without it the form's own address gives it.
class Passkey extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  async ask() {
    const error = this.querySelector("[role=alert]");
    const button = this.querySelector("button");
    error.hidden = true;
    button.setAttribute("aria-busy", "true");
    try {
      const options = await this.options();
      const credential = this.dataset.act === "add" ? await this.make(options.creation_options.publicKey) : await this.prove(options.request_options.publicKey);
      this.form.elements.credential.value = JSON.stringify(credential.toJSON());
      this.form.submit();
    } catch {
      error.textContent = this.dataset.failed;
      error.hidden = false;
      button.removeAttribute("aria-busy");
    }
  }

  async options() {
    if (this.dataset.options) return JSON.parse(document.getElementById(this.dataset.options).textContent);
    const answer = await fetch(this.form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  prove(options) {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  }

  make(options) {
    const alone = this.form.elements.passwordless?.checked ?? false;
    options.authenticatorSelection = {
      ...options.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      userVerification: alone ? "required" : "preferred",
    };
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
}

customElements.define("t-passkey", Passkey);
