// Menus are <details class="menu">: they open without us. This closes them: outside, on Escape, after a choice.
customElements.define("t-menus", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("click", this.closeOthers);
    document.addEventListener("keydown", this.closeOnEscape);
    document.addEventListener("htmx:afterRequest", this.closeChosen);
    document.addEventListener("toggle", this.opened, true);
    document.addEventListener("htmx:afterSwap", this.filled);
  }
  disconnectedCallback() {
    document.removeEventListener("click", this.closeOthers);
    document.removeEventListener("keydown", this.closeOnEscape);
    document.removeEventListener("htmx:afterRequest", this.closeChosen);
    document.removeEventListener("toggle", this.opened, true);
    document.removeEventListener("htmx:afterSwap", this.filled);
  }
  closeOthers = ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  };
  closeOnEscape = (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open]") ?? document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  };
  closeChosen = ({ target, detail }) => {
    if (detail.successful && detail.requestConfig.verb !== "get") target.closest?.("details.menu[open]")?.removeAttribute("open");
  };
  opened = ({ target }) => {
    if (target.matches?.("details.menu") && target.open) this.focusFirst(target);
  };
  filled = ({ target }) => {
    if (target.matches?.("details.menu[open] .menu__panel")) this.focusFirst(target.closest("details"));
  };
  focusFirst(menu) {
    menu.querySelector(".menu__panel :is(a, button, input:not([type=hidden]))")?.focus({ preventScroll: true });
  }
});
