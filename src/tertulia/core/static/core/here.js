// Where a strip of links is wider than the screen, the page one is on is in view.
for (const here of document.querySelectorAll(".topbar__nav [aria-current], .side-nav [aria-current], .tabs [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
