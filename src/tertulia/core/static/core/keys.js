// One key, one thing on the page: the element that says data-key="r" is pressed or gets the focus.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`)].find((each) => each.checkVisibility());
  if (!found) return;
  event.preventDefault();
  if (found.matches("input[type=search], input[type=text], textarea")) found.focus();
  else found.click();
});
