// Where a strip of links is wider than the screen, the page one is on is in view.
for (const here of document.querySelectorAll(":is(.topbar__nav, .side-nav, .tabs) [aria-current]")) {
  const strip = here.closest(".topbar__nav, .side-nav, .tabs");
  const [outer, inner] = [strip.getBoundingClientRect(), here.getBoundingClientRect()];
  strip.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
}
