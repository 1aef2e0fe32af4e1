// Menus are <details class="menu">: they open without us. This closes them: outside, on Escape, after a choice, when the
// focus goes elsewhere; the arrows move in them, and after a choice the focus is where it was.
customElements.define("t-menus", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("click", this.closeOthers);
    document.addEventListener("focusin", this.closeLeft);
    document.addEventListener("keydown", this.closeOnEscape);
    document.addEventListener("keydown", this.step);
    document.addEventListener("htmx:beforeRequest", this.choose);
    document.addEventListener("htmx:beforeSwap", this.keep);
    document.addEventListener("htmx:oobBeforeSwap", this.keep);
    document.addEventListener("htmx:afterRequest", this.closeChosen);
    document.addEventListener("toggle", this.opened, true);
    document.addEventListener("htmx:afterSwap", this.filled);
  }
  disconnectedCallback() {
    document.removeEventListener("click", this.closeOthers);
    document.removeEventListener("focusin", this.closeLeft);
    document.removeEventListener("keydown", this.closeOnEscape);
    document.removeEventListener("keydown", this.step);
    document.removeEventListener("htmx:beforeRequest", this.choose);
    document.removeEventListener("htmx:beforeSwap", this.keep);
    document.removeEventListener("htmx:oobBeforeSwap", this.keep);
    document.removeEventListener("htmx:afterRequest", this.closeChosen);
    document.removeEventListener("toggle", this.opened, true);
    document.removeEventListener("htmx:afterSwap", this.filled);
  }
  closeOthers = ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  };
  closeLeft = ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      // A region around it takes the focus when its own text is pressed, and so does nothing where buttons take none.
      if (!menu.contains(target) && !target.contains(menu)) menu.open = false;
    }
  };
  closeOnEscape = (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open]") ?? document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  };
  step = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const menu = by && event.target.closest?.("details.menu[open]");
    if (!menu || event.target.matches("select, textarea, [type=datetime-local]")) return;
    event.preventDefault();
    const items = this.items(menu);
    items.at((items.indexOf(event.target) + by) % items.length)?.focus();
  };
  choose = ({ target }) => {
    if (target.matches?.("form")) this.chosen = target;
  };
  keep = ({ target }) => {
    // What holds the focus is drawn again: it goes on at the same key, in a menu that is open unless it was chosen from.
    const focused = document.activeElement;
    if (!target.contains?.(focused)) return;
    const menu = focused.closest("details.menu");
    const isOpen = Boolean(menu?.open && !menu.contains(this.chosen));
    const key = (menu?.querySelector("[data-key]") ?? focused).dataset.key;
    const at = menu ? this.items(menu).indexOf(focused) : -1;
    if (key) setTimeout(() => this.comeBack(target.id, key, isOpen ? at : -1));
  };
  comeBack(id, key, at) {
    if (document.activeElement !== document.body) return;
    const drawn = document.getElementById(id);
    const mark = drawn?.querySelector(`[data-key="${key}"]`) ?? drawn?.querySelector("button[data-key], summary[data-key]");
    const menu = at < 0 ? null : mark?.closest("details.menu");
    if (menu) menu.open = true;
    (menu ? this.items(menu)[at] ?? mark : mark)?.focus({ preventScroll: true });
  }
  items(menu) {
    return [...menu.querySelectorAll(".menu__panel :is(a, button, input:not([type=hidden]))")].filter((each) => each.checkVisibility());
  }
  closeChosen = ({ target, detail }) => {
    if (detail.successful && detail.requestConfig.verb !== "get") target.closest?.("details.menu[open]")?.removeAttribute("open");
  };
  opened = ({ target }) => {
    if (target.matches?.("details.menu") && target.open && !this.items(target).includes(document.activeElement)) this.focusFirst(target);
  };
  filled = ({ target }) => {
    if (target.matches?.("details.menu[open] .menu__panel")) this.focusFirst(target.closest("details"));
  };
  focusFirst(menu) {
    menu.querySelector(".menu__panel :is(a, button, input:not([type=hidden]))")?.focus({ preventScroll: true });
  }
});
