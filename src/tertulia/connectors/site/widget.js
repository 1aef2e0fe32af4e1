// Tertulia's chat. A page's CSP needs this origin in script-src and connect-src.
(() => {
  const { src, dataset } = document.currentScript;
  const door = new URL(src).origin + "/site/" + dataset.account;
  const name = "tertulia:" + dataset.account;
  if (document.getElementById(name)) return;
  const lang = /^(es|ca|gl|eu)/i.test(document.documentElement.lang || navigator.language) ? "es" : "en";

  // What survives a reload, where anything may be stored.
  let kept = { draft: "", pending: [], seen: "" };
  try { kept = { ...kept, ...JSON.parse(localStorage[name]) }; } catch {}
  const keep = (facts) => {
    Object.assign(kept, facts);
    try { localStorage[name] = JSON.stringify(kept); } catch {}
  };

  const make = (tag, facts = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(facts))
      key.startsWith("on") ? (node[key] = value) : node.setAttribute(key, value);
    node.append(...children);
    return node;
  };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{all:initial;color-scheme:light dark;font:16px/1.45 system-ui;color:light-dark(#24211e,#eeeae4);--paper:light-dark(#fff,#211f1c);
--soft:light-dark(#6a645d,#aca59b);--line:light-dark(#e3ded6,#3d3934);--said:light-dark(#f3f0ea,#322f2a)}
*{box-sizing:border-box;font:inherit;color:inherit}[hidden],.note:empty{display:none!important}
p,h2{margin:0}button{cursor:pointer;border:0;padding:0;background:none}:focus-visible{outline:2px solid;outline-offset:-2px}
.fab::before,.round::before{content:"";width:24px;height:24px;background:currentColor}
.fab::before{clip-path:path("M4 4h16q2 0 2 2v9q0 2-2 2h-8l-5 4v-4H4q-2 0-2-2V6q0-2 2-2")}
.send::before{clip-path:path("M3 3l19 9-19 9 3-7.5 9-1.5-9-1.5z")}
.close::before{clip-path:path("M5 6l1-1 6 6 6-6 1 1-6 6 6 6-1 1-6-6-6 6-1-1 6-6z")}
.fab,.round{display:grid;place-items:center;flex:none;width:44px;height:44px;border-radius:50%;forced-color-adjust:none;outline-offset:-6px!important}
.fab,.send,header,.visitor .text{background:var(--brand);color:var(--on)}
.fab,dialog{position:fixed;right:20px;bottom:20px;z-index:99999999;box-shadow:0 4px 24px #0004}
.fab{width:58px;height:58px}[data-news]::after{content:attr(data-news);position:absolute;top:-4px;right:-4px;padding:0 7px;
border-radius:9px;background:#b3261e;color:#fff;font-size:13px}
dialog{inset:auto 20px 92px auto;margin:0;width:372px;height:min(580px,100dvh - 112px);border:0;
border-radius:16px;padding:0;overflow:hidden;background:var(--paper)}
dialog[open]{display:flex;flex-direction:column}
header{display:flex;align-items:center;padding:13px 8px 13px 18px}header div{flex:1;min-width:0}h2{font-weight:650}header p{font-size:14px}
.log{flex:1;overflow-y:auto;padding:16px;display:flex;flex-direction:column;gap:12px}
.item{max-width:85%}.visitor{align-self:end;text-align:right}
.text{text-align:start;padding:9px 13px;border-radius:14px;background:var(--said);white-space:pre-wrap;overflow-wrap:anywhere;overflow:hidden}
.by,.note,label{font-size:13px;color:var(--soft)}.by button{padding:5px;text-decoration:underline}.bad{color:light-dark(#a3231b,#ff9d92)}
form{display:grid;gap:9px;padding:12px;border-top:1px solid var(--line)}.row{display:flex;gap:8px;align-items:end}
input,textarea{width:100%;border:1px solid #8a8379;border-radius:9px;padding:9px 11px;background:var(--paper);color:CanvasText;font-size:16px}
textarea{resize:none;min-height:44px;max-height:140px;field-sizing:content}
.away{position:fixed;left:-99em}
@media(max-width:480px){dialog{inset:0;width:100%;height:100dvh;max-width:none;max-height:none;border-radius:0}}`);
  const host = make("div", { id: name });
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];

  let desk = {}, messages = [], state, source, ready = 0;
  const status = make("p"), title = make("h2");
  const log = make("div", { class: "log", role: "log", tabindex: 0 });
  const note = make("p", { class: "note" }), alert = make("p", { class: "note bad", role: "alert" });
  const news = make("span", { class: "away", role: "status" });
  const who = make("input", { autocomplete: "name" }), mail = make("input", { type: "email", autocomplete: "email" });
  const trap = make("input", { name: "website", tabindex: -1, autocomplete: "off" });
  const area = make("textarea", {
    rows: 1,
    oninput: () => { keep({ draft: area.value }); alert.textContent = ""; },
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer:coarse)").matches) return;
      event.preventDefault();
      form.requestSubmit();
    },
  });
  const asked = [make("label", {}, "", who), make("label", {}, "", mail)];
  const send = make("button", { class: "round send" });
  const form = make("form", { onsubmit: (event) => { event.preventDefault(); post(); } },
    note, ...asked, make("p", { class: "away", "aria-hidden": true }, trap), alert, make("div", { class: "row" }, area, send));
  const closer = make("button", { class: "round close", onclick: () => panel.close() });
  const panel = make("dialog", {
    onkeydown: ({ key }) => { if (key === "Escape") panel.close(); },
    onclose: () => { draw(); fab.focus(); },
  }, make("header", {}, make("div", {}, title, status), closer), log, form);
  const fab = make("button", { class: "fab", onclick: () => (panel.open ? panel.close() : open()) });
  root.append(fab, panel, news);

  const ask = async (path, options) => {
    const facts = { credentials: "omit", signal: AbortSignal.timeout(15e3), ...options };
    const answer = await fetch(`${door}/${path}language=${lang}`, facts);
    const data = await answer.json();
    if (answer.ok) return data;
    throw data;
  };
  const token = () => encodeURIComponent(kept.visitor || desk.visitor || "");

  const hello = async () => {
    desk = await ask(`hello?visitor=${token()}&`);
    if (kept.visitor) keep({ visitor: desk.visitor });
    ready = Date.now() + 2100; // younger: a program's
    host.style.setProperty("--brand", desk.colour);
    host.style.setProperty("--on", desk.on_colour);
    take(desk);
  };
  const take = (data) => {
    if (data.after !== state) ({ messages, after: state } = data);
    draw();
  };

  const upsert = (message) => {
    messages = [...messages.filter(({ id }) => id !== message.id), message].sort((a, b) => (a.at < b.at ? -1 : 1));
    draw();
  };

  const draw = () => {
    const say = desk.texts;
    keep({ pending: kept.pending.filter(({ id }) => !messages.some(({ key }) => key === id)) });
    const isDown = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    const items = [{ from: "brand", name: desk.brand, text: desk.greeting || say.hello }, ...messages, ...kept.pending];
    items.forEach((item, at) => {
      const facts = JSON.stringify(item), old = log.children[at];
      if (old?.facts === facts) return;
      const node = Object.assign(bubble(item, say), { facts });
      old ? old.replaceWith(node) : log.append(node);
    });
    while (log.children.length > items.length) log.lastChild.remove();
    if (isDown) log.scrollTop = log.scrollHeight;

    const when = desk.opens_at && new Date(desk.opens_at)
      .toLocaleString(lang, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
    panel.ariaLabel = title.textContent = desk.brand;
    status.textContent = desk.is_open ? say.here : when ? say.back.replace("%", when) : say.soon;
    area.ariaLabel = area.placeholder = say.write;
    log.ariaLabel = say.log;
    send.ariaLabel = say.send;
    closer.ariaLabel = say.close;
    asked.forEach((label, at) => {
      label.firstChild.data = at ? say.email : say.name;
      label.hidden = desk.is_open || items.length > 1;
    });
    note.textContent = asked[0].hidden ? "" : say.form;

    const fresh = messages.filter(({ from, at }) => from === "brand" && at > kept.seen);
    if (panel.open && fresh.length) keep({ seen: fresh.at(-1).at });
    const count = panel.open ? 0 : fresh.length;
    count ? (fab.dataset.news = count) : delete fab.dataset.news;
    news.textContent = count ? say.news : "";
    fab.ariaLabel = panel.open ? say.close : say.open + (count ? `. ${say.news}` : "");
    fab.ariaExpanded = panel.open;
    if (messages.length && !source) listen();
  };

  const bubble = (item, say) => {
    const isTheirs = item.from !== "brand", by = make("div", { class: "by" }, isTheirs ? say.you : item.name);
    if (item.at) {
      const at = new Date(item.at), isToday = at.toDateString() === new Date().toDateString();
      by.append(" · ", make("time", { title: at.toLocaleString(lang, { dateStyle: "full", timeStyle: "full" }) },
        at.toLocaleString(lang, { dateStyle: isToday ? undefined : "medium", timeStyle: "short" })));
    } else if (item.id) {
      by.textContent = item.sending ? say.sending : `${say.failed} ${item.says || ""} `;
      if (!item.sending) by.append(make("button", { onclick: () => { area.focus(); deliver(item); } }, say.retry));
      by.classList.toggle("bad", !item.sending);
    }
    const parts = (item.deleted ? say.deleted : item.text).split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]'])/);
    const text = parts.map((part, at) => (at % 2 ? make("a", { href: part, target: "_blank", rel: "noopener" }, part) : part));
    return make("div", { class: isTheirs ? "item visitor" : "item" }, make("p", { class: "text", dir: "auto" }, ...text), by);
  };

  const post = () => {
    const text = area.value.trim(), length = [...text].length;
    if (!text) return area.focus();
    if (length > 1e4) return (alert.textContent = desk.texts.long.replace("%", length));
    const id = URL.createObjectURL(new Blob).slice(-36); // a UUID on http, too
    const item = { id, text, name: who.value, email: mail.value, website: trap.value };
    area.value = "";
    keep({ draft: "", visitor: kept.visitor || desk.visitor, pending: [...kept.pending, item] });
    area.focus();
    deliver(item);
    log.scrollTop = log.scrollHeight;
  };

  const deliver = async (item, tries = 0) => {
    const mark = (facts) => {
      kept.pending.filter(({ id }) => id === item.id).forEach((one) => Object.assign(one, facts));
      draw();
    };
    mark({ sending: true });
    try {
      while (ready > Date.now()) await new Promise((done) => setTimeout(done, ready - Date.now()));
      const body = { ...item, visitor: kept.visitor, ticket: desk.ticket, page: location.href, language: lang };
      const { message } = await ask("messages?", { method: "POST", body: JSON.stringify(body) });
      upsert(message);
    } catch (error) {
      if (tries < 2 && /^(too_soon|too_late|visitor)$/.test(error.error)) {
        await hello().catch(() => {});
        return deliver(item, tries + 1);
      }
      trap.value = "";
      mark({ sending: false, says: error.says, website: "" });
    }
  };

  const listen = () => {
    source = new EventSource(`${door.replace("/site/", "/live/site/")}/?visitor=${token()}`);
    source.onmessage = ({ data }) => upsert(JSON.parse(data));
  };
  // The net below the stream.
  const poll = async () => {
    if (messages.length && !document.hidden)
      try { take(await ask(`messages?visitor=${token()}&after=${state}&`)); } catch {}
    setTimeout(poll, source?.readyState === 1 ? 3e4 : 5e3);
  };

  const open = () => {
    if (panel.open) return;
    matchMedia("(max-width:480px)").matches ? panel.showModal() : panel.show();
    draw();
    log.scrollTop = log.scrollHeight;
    (asked[0].hidden ? area : who).focus();
    hello().catch(() => {});
  };

  area.value = kept.draft;
  kept.pending.forEach((item) => (item.sending = false));
  setInterval(() => {
    if (panel.open) hello().catch(() => {});
    if (source?.readyState > 1) listen();
  }, 6e4);
  document.addEventListener("click", (event) => event.target.closest?.("[data-tertulia=open]") && open());
  hello().then(() => { document.body.append(host); poll(); }, () => {});
})();
