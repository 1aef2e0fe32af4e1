// The latest news of a company, on its own page: in each element with data-tertulia-news (its value: how many, else 3).
// A page's CSP needs this origin in script-src, connect-src and img-src. What stands in the element stays until, and
// unless, the news have come. data-level says which heading titles are (3). Texts stay text.
(() => {
  const { src, dataset } = document.currentScript;
  const feed = new URL(src).origin + "/s/" + dataset.account + "/news/feed.json";

  const make = (tag, facts = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(facts)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const link = (url, text) => make("a", { href: /^https?:/.test(url) ? url : "#" }, text);

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{display:block}*{box-sizing:border-box}ul{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,16rem),1fr));
gap:1.75rem;margin:0;padding:0;list-style:none}article{display:grid;gap:.4rem;align-content:start}
img{display:block;width:100%;aspect-ratio:16/10;object-fit:cover;border-radius:.75rem;background:#8882}
h2,h3,h4,h5,h6,p{margin:0;overflow-wrap:anywhere}h2,h3,h4,h5,h6{font-size:1.15em;line-height:1.25;text-wrap:balance}
a{color:inherit;text-underline-offset:.2em}li a{text-decoration-thickness:1px}time{font-size:.875em;opacity:.8}
.all{margin-block-start:1.5rem}.all a{display:inline-block;padding-block:.5rem}:focus-visible{outline:2px solid;outline-offset:3px}`);

  const draw = (place, said) => {
    const level = Math.min(6, Math.max(2, Number(place.dataset.level) || 3));
    const day = new Intl.DateTimeFormat(said.language, { dateStyle: "long" });
    const items = said.items.slice(0, Number(place.dataset.tertuliaNews) || 3).map((one) => {
      const article = make("article");
      if (one.image) article.append(make("img", { src: one.image, alt: one._alt, loading: "lazy" }));
      article.append(
        make("h" + level, {}, link(one.url, one.title)),
        make("time", { datetime: one.date_published }, day.format(new Date(one.date_published))),
        make("p", {}, one.summary),
      );
      return make("li", {}, article);
    });
    const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren(
      make("div", { lang: said.language, role: "region", "aria-label": said._tertulia.title },
        make("ul", { role: "list" }, ...items),
        make("p", { class: "all" }, link(said.home_page_url, said._tertulia.all))),
    );
  };

  const places = document.querySelectorAll("[data-tertulia-news]");
  if (!places.length) return;
  fetch(feed)
    .then((answer) => (answer.ok ? answer.json() : { items: [] }))
    .then((said) => said.items.length && places.forEach((place) => draw(place, said)))
    .catch(() => {}); // the desk can't be reached: what stands in the element stays
})();
