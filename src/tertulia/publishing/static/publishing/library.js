// The library. Files that are dropped are added at once; the frame over a picture fills the numbers of the form, which
// work alone as well. Of a film that has no picture yet the browser takes one: it alone can unpack it.
customElements.define("t-drop", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.querySelector("[type=file]");
    for (const type of ["dragenter", "dragover"]) this.addEventListener(type, this.over);
    for (const type of ["dragleave", "drop"]) this.addEventListener(type, () => delete this.form.dataset.over);
    this.addEventListener("drop", this.dropped);
  }
  over = (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    this.form.dataset.over = "";
  };
  dropped = (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    this.input.files = event.dataTransfer.files;
    this.form.requestSubmit();
  };
});

customElements.define("t-crop", class extends HTMLElement {
  connectedCallback() {
    this.form = document.querySelector("[data-crop]");
    if (!this.form) return;
    this.picture = this.querySelector("img");
    this.frame = this.querySelector("[data-frame]");
    this.box = { left: 0, top: 0, width: 100, height: 100 };
    this.form.addEventListener("input", ({ target }) => (target.name === "shape" ? this.fit() : this.read()));
    this.frame.addEventListener("pointerdown", this.grab);
    this.frame.addEventListener("keydown", this.nudge);
  }
  // Width to height in percent of the picture's sides; 0 while the shape is free.
  get ratio() {
    const wanted = Number(this.form.querySelector("[name=shape]:checked").dataset.ratio || 0);
    return (wanted * this.picture.clientHeight) / this.picture.clientWidth;
  }
  fit() {
    const { ratio } = this;
    const width = ratio ? Math.min(100, 100 * ratio) : 80;
    const height = ratio ? width / ratio : 80;
    this.show({ left: (100 - width) / 2, top: (100 - height) / 2, width, height });
  }
  read() {
    const said = (name, otherwise) => (this.form[name].value === "" ? otherwise : Number(this.form[name].value));
    this.show({ left: said("left", 0), top: said("top", 0), width: said("width", 100), height: said("height", 100) }, false);
  }
  show(box, writes = true) {
    const { ratio } = this;
    let width = Math.min(Math.max(box.width, 2), 100);
    let height = Math.min(Math.max(ratio ? width / ratio : box.height, 2), 100);
    if (ratio) width = height * ratio;
    const left = Math.min(Math.max(box.left, 0), 100 - width);
    const top = Math.min(Math.max(box.top, 0), 100 - height);
    this.box = { left, top, width, height };
    this.frame.hidden = false;
    for (const [name, value] of Object.entries(this.box)) {
      this.frame.style[name] = `${value}%`;
      if (writes) this.form[name].value = value.toFixed(1);
    }
  }
  grab = (event) => {
    event.preventDefault();
    this.frame.focus();
    const from = { x: event.clientX, y: event.clientY, ...this.box };
    const resizes = "corner" in event.target.dataset;
    const move = ({ clientX, clientY }) => {
      const x = (100 * (clientX - from.x)) / this.picture.clientWidth;
      const y = (100 * (clientY - from.y)) / this.picture.clientHeight;
      if (resizes) this.show({ ...from, width: from.width + x, height: from.height + y });
      else this.show({ ...from, left: from.left + x, top: from.top + y });
    };
    this.frame.setPointerCapture(event.pointerId);
    this.frame.addEventListener("pointermove", move);
    this.frame.addEventListener("lostpointercapture", () => this.frame.removeEventListener("pointermove", move), { once: true });
  };
  nudge = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y] = step;
    if (event.shiftKey) this.show({ ...this.box, width: this.box.width + (x || y), height: this.box.height + (y || x) });
    else this.show({ ...this.box, left: this.box.left + x, top: this.box.top + y });
  };
});

customElements.define("t-poster", class extends HTMLElement {
  connectedCallback() {
    this.film = this.querySelector("video") ?? this.unseen();
    this.button = this.querySelector("[data-take]");
    if (!this.dataset.to) return;
    this.film.addEventListener("loadeddata", this.loaded, { once: true });
    if (this.film.readyState > 1) this.loaded();
    else if (this.wanted) this.film.preload = "auto";
    if (!this.button) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.take());
  }
  get wanted() {
    return "wanted" in this.dataset || !this.button;
  }
  unseen() {
    const film = document.createElement("video");
    film.muted = true;
    film.src = this.dataset.film;
    this.append(film);
    return film;
  }
  // The first moment is often black; nothing is moved under the eyes of somebody who plays it.
  loaded = () => {
    if (!this.wanted || !this.film.paused) return;
    this.film.addEventListener("seeked", () => this.take(), { once: true });
    this.film.currentTime = Math.min(1, (this.film.duration || 0) / 2);
  };
  async take() {
    const { videoWidth, videoHeight } = this.film;
    if (!videoWidth) return;
    const share = Math.min(1, 960 / Math.max(videoWidth, videoHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(videoWidth * share));
    canvas.height = Math.max(1, Math.round(videoHeight * share));
    canvas.getContext("2d").drawImage(this.film, 0, 0, canvas.width, canvas.height);
    const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    const form = new FormData();
    form.append("poster", picture, "poster.jpeg");
    form.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(this.dataset.to, { method: "POST", body: form });
    if (!answer.ok) return;
    delete this.dataset.wanted;
    const shown = this.closest(".shelf__one")?.querySelector("img");
    if (shown) shown.src = `${shown.getAttribute("src")}?new`;
    const done = this.querySelector("[data-done]");
    if (done) done.hidden = false;
    if (this.hasAttribute("hidden")) this.remove();
  }
});
