// Flash messages leave by themselves; what failed on the way to the server is said here too.
customElements.define("t-toast", class extends HTMLElement {
  connectedCallback() {
    this.querySelector("button")?.addEventListener("click", () => this.remove());
    const leave = () => (this.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : this.remove());
    setTimeout(leave, 7000);
  }
});
customElements.define("t-toasts", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("htmx:responseError", this.failed);
    document.addEventListener("htmx:sendError", this.failed);
  }
  failed = ({ detail: { xhr } }) => {
    const advice = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain") && xhr.responseText;
    const toast = document.createElement("t-toast");
    toast.className = "toast";
    toast.dataset.tone = "late";
    toast.textContent = advice || this.dataset.failed;
    this.append(toast);
  };
});
