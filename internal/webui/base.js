'use strict';
const $ = id => document.getElementById(id);
const nf = new Intl.NumberFormat('en');
const num = n => nf.format(n);

// Everything is inserted as text, never as HTML: others choose the names of containers.
function el(tag, attributes, ...children) {
  const e = tag.startsWith('svg:') ? document.createElementNS('http://www.w3.org/2000/svg', tag.slice(4)) : document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) if (v !== null && v !== undefined) e.setAttribute(k, v);
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}
// A screen reader announces every write to a live region, and a write ends a selection: so none that changes nothing.
function text(node, s) { if (node.textContent !== s) node.textContent = s; }
const filled = new WeakMap();
function fill(node, data, build) {
  const key = JSON.stringify(data);
  if (filled.get(node) === key) return;
  filled.set(node, key);
  node.replaceChildren(...[build(data)].flat());
}

const duration = s => {
  s = Math.max(0, Math.round(s));
  if (s < 90) return s + ' s'; if (s < 5400) return Math.round(s / 60) + ' min';
  if (s < 172800) return Math.round(s / 3600) + ' h'; return Math.round(s / 86400) + ' d';
};
const ago = (t, now) => duration((new Date(now) - new Date(t)) / 1000);
const size = b => b < 1024 ? num(b) + ' B' : b < 1048576 ? Math.round(b / 1024) + ' KiB' : b < 1073741824 ? (b / 1048576).toFixed(1) + ' MiB' : (b / 1073741824).toFixed(1) + ' GiB';

function table(id, heads, rows, none) {
  const box = $(id);
  if (!rows.length) return box.replaceChildren(el('p', {class: 'none'}, none));
  box.replaceChildren(el('table', {},
    heads && el('thead', {}, el('tr', {}, ...heads.map(h => el('th', {class: h[1] || '', title: h[2] || '', scope: 'col'}, h[0])))),
    el('tbody', {}, ...rows.map(cells => el('tr', {}, ...cells)))));
}
const n = (v, cls) => el('td', {class: 'n ' + (v ? cls || '' : 'zero')}, typeof v === 'number' ? num(v) : v);

const icons = {healthy: 'M8 12.5l2.8 2.8L16.5 9.5', warning: 'M12 7v6M12 16.5h.01', critical: 'M9 9l6 6M15 9l-6 6', unknown: 'M12 8v4M12 16h.01'};
// judge writes the card that says first how things stand. It has #verdict, #since, #reason and #icon.
function judge(level, verdict, since, reasons) {
  $('verdict').closest('.verdict').dataset.level = level;
  $('icon').setAttribute('d', icons[level]);
  text($('verdict'), verdict);
  text($('since'), since);
  fill($('reason'), reasons, () => reasons.map(r => el('span', {}, r)));
}

// axes begins a plot from the time begin to end, in seconds, of values up to max. labels are [time, text]. It returns the
// svg, x and y for what is drawn into it, and path, which makes one of [time, value] pairs.
function axes(box, {begin, end, max, height, labels, label}) {
  const w = Math.max(260, box.clientWidth), h = height, left = 52, bottom = 24, right = 8, top = 10;
  const rough = max / Math.max(2, Math.round(h / 62)), unit = 10 ** Math.floor(Math.log10(rough));
  const tick = [1, 2, 2.5, 5, 10].map(f => f * unit).find(t => t >= rough && Number.isInteger(t)) || Math.ceil(rough);
  max = Math.ceil(max / tick) * tick;
  const x = t => left + (t - begin) / (end - begin) * (w - left - right), y = v => top + (1 - v / max) * (h - top - bottom);
  const svg = el('svg:svg', {class: 'plot', viewBox: `0 0 ${w} ${h}`, height: h, role: 'img', 'aria-label': label});
  for (let v = 0; v <= max; v += tick) {
    svg.append(el('svg:line', {class: 'grid', x1: left, x2: w - right, y1: y(v), y2: y(v)}), el('svg:text', {x: left - 8, y: y(v) + 4, 'text-anchor': 'end'}, num(v)));
  }
  labels.forEach(([t, s], i) => svg.append(el('svg:text', {x: x(t), y: h - 4, 'text-anchor': i === 0 ? 'start' : i < labels.length - 1 ? 'middle' : 'end'}, s)));
  const path = points => points.map(([t, v], i) => (i ? 'L' : 'M') + x(t).toFixed(1) + ' ' + y(v).toFixed(1)).join('');
  const area = points => path(points) + `L${x(points[points.length - 1][0]).toFixed(1)} ${y(0)}L${x(points[0][0]).toFixed(1)} ${y(0)}Z`;
  return {svg, x, y, path, area, max, left, right: w - right, top};
}

// goTo makes a link of what a component says of another's page: "http://host:port/", without the host where it listens
// on every address. One that listens on its own machine alone is not linked for those who are on another.
function goTo(link, address) {
  const [, scheme, host, port] = /^(https?:\/\/)?(\[[^\]]*\]|[^:/]*)(:\d+)?\/?$/.exec(address || '') || [];
  const local = h => /^(localhost|127\..*|\[::1\])$/.test(h);
  link.hidden = !host && !port || local(host || '') && !local(location.hostname);
  if (!link.hidden) link.href = (scheme || 'http://') + (host || location.hostname) + (port || '') + '/';
}

// poll calls load at once and every period ms, but not while nobody sees the page, and less often where that takes long.
// load returns the time of the answer. #live says whether it is fresh. It returns a function that calls load now.
function poll(period, load) {
  const live = $('live'), word = el('span', {role: 'status'}, 'connecting'), at = el('span', {});
  live.replaceChildren(word, at);
  let timer, last, running = false, again = false;
  async function refresh() {
    if (running) { again = true; return; }
    clearTimeout(timer);
    running = true;
    again = false;
    const began = performance.now();
    try {
      last = await load(AbortSignal.timeout(10000));
      live.className = 'live';
      text(word, 'live'); text(at, ', ' + new Date(last).toLocaleTimeString());
    } catch (e) {
      live.className = 'live stale';
      live.title = String(e);
      text(word, 'no answer'); text(at, last ? ' since ' + new Date(last).toLocaleTimeString() : '');
    }
    running = false;
    if (again) return refresh();
    if (!document.hidden) timer = setTimeout(refresh, Math.max(period, 10 * (performance.now() - began)));
  }
  document.addEventListener('visibilitychange', () => document.hidden ? clearTimeout(timer) : refresh());
  refresh();
  return refresh;
}
async function getJSON(url, signal, ...alsoGood) {
  const answer = await fetch(url, {cache: 'no-store', signal});
  if (!answer.ok && !alsoGood.includes(answer.status)) throw new Error('HTTP ' + answer.status);
  return answer.json();
}
