// The player: takes what Python sends, plays it, and mirrors its state to data attributes.
const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
const root = element.querySelector('.sat');
const photo = root.querySelector('.sat-photo');
const look = { mode: 'heat', smooth: true, opacity: 0.8, scale: 'caption' };
let data = { run: -1, phase: 'empty', words: [], grid: [14, 14], done: false, captions: [] };
let words = [];
let preview = null;
let cell = null;
let table = colourTable(look.mode, look.opacity);
let last = null;
let request = null;

const stage = createStage(root, reduced);
const mind = createMind(root);
const timeline = createTimeline(reduced);
const line = createWords(root, {
  preview(index) {
    preview = index;
    wake();
  },
  pin(index) {
    preview = null;
    timeline.state.playing = false;
    timeline.seek(index);
    wake();
  },
});
const controls = createControls(root, {
  toggle: () => (timeline.toggle(), wake()),
  step: (by) => (timeline.step(by), wake()),
  jump: (index) => ((timeline.state.playing = false), timeline.seek(index), wake()),
  seek: (position) => ((timeline.state.playing = false), timeline.seek(Math.round(position)), wake()),
  loop: () => ((timeline.state.loop = !timeline.state.loop), wake()),
  speed: (speed) => (timeline.state.speed = speed),
  look(change) {
    Object.assign(look, change);
    table = colourTable(look.mode, look.opacity);
    stage.setLook(look);
    refresh();
  },
});

function parsed(word) {
  return {
    text: word.w, end: word.end, alpha: decodeAlpha(word.a, word.m), peak: word.m, chance: word.p,
    entropy: word.h, gate: word.b, alternatives: word.alt,
  };
}

function captionTop() {
  return words.reduce((top, word) => Math.max(top, word.peak), 1e-6);
}

function topOf(word) {
  return look.scale === 'word' ? word.peak : captionTop();
}

// Idempotent: every message holds everything. A new run clears, an older one comes too late.
function sync() {
  const value = props.value;
  if (!value || value.run < data.run || value.version !== 1) return;
  if (value.run > data.run) {
    timeline.reset();
    stage.setGrid(value.grid);
    showCell(null);
    preview = null;
  }
  data = value;
  words = data.words.map(parsed);
  if (data.photo) {
    stage.setPhoto(data.photo.url, data.size);
    photo.alt = say('photo');
  }
  timeline.setCount(words.length, data.done);
  line.fill(words, data.grid);
  announce();
  refresh();
}

function announce() {
  const status = root.querySelector('.sat-status');
  status.textContent = say(data.phase) || '';
  const last = data.captions.length ? data.captions[0] : null;
  const sentence = words.filter((word) => !word.end).map((word) => word.text).join(' ');
  root.querySelector('.sat-live').textContent = data.done ? say('caption') + ': ' + sentence : '';
  root.querySelector('.sat-cut').textContent = last && !last.finished ? say('cut') : '';
}

function refresh() {
  line.drawThumbs(words, photo, data.grid, topOf, table);
  if (cell) showCell(cell);
  wake();
}

function showCell(place) {
  cell = place;
  const marker = root.querySelector('.sat-cell');
  marker.hidden = !place;
  if (!place) return line.showShares(null);
  const [rows, columns] = data.grid;
  marker.style.left = (100 * place.column) / columns + '%';
  marker.style.top = (100 * place.row) / rows + '%';
  marker.style.width = 100 / columns + '%';
  marker.style.height = 100 / rows + '%';
  return line.showShares(words.map((word) => word.alpha[place.row * columns + place.column]));
}

function mirror(step) {
  Object.assign(root.dataset, {
    run: data.run, phase: data.phase, count: words.length, step, playing: timeline.state.playing, preview: preview ?? '',
  });
}

function show() {
  const { step, blend } = timeline.now();
  const index = preview !== null && preview < words.length ? preview : step;
  const word = words[index];
  line.mark(index, data.done && !timeline.state.playing ? words.length : Math.max(step, index));
  controls.show(timeline.state, words.length);
  mirror(step);
  if (shownWord !== word) mind.show(word, data.grid);
  shownWord = word;
  if (!word) return stage.aim(null, 1);
  const next = words[index + 1];
  const moving = index === step && blend > 0 && next;
  const alpha = moving ? word.alpha.map((weight, at) => weight + blend * (next.alpha[at] - weight)) : word.alpha;
  const top = moving ? topOf(word) + blend * (topOf(next) - topOf(word)) : topOf(word);
  controls.drawLegend(table, top, 1 / word.alpha.length);
  return stage.aim(alpha, top);
}

function frame(time) {
  const elapsed = last === null ? 16 : Math.min(time - last, 100);
  last = time;
  timeline.advance(elapsed);
  show();
  const moving = stage.tick(elapsed);
  const going = moving || (timeline.state.playing && words.length > 0);
  request = going && root.isConnected ? requestAnimationFrame(frame) : null;
  if (!request) last = null;
}

function wake() {
  if (!request) request = requestAnimationFrame(frame);
}

let shownWord = null;
root.querySelectorAll('[data-say]').forEach((each) => (each.textContent = say(each.dataset.say)));
root.querySelectorAll('[data-label]').forEach((each) => {
  each.setAttribute('aria-label', say(each.dataset.label));
  each.title = say(each.dataset.label);
});
photo.addEventListener('load', refresh);
root.querySelector('.sat-stage').addEventListener('click', (event) => {
  const place = stage.cellAt(event);
  const same = cell && place && cell.row === place.row && cell.column === place.column;
  showCell(same || !words.length ? null : place);
});
acceptPhotos(root);
watch('value', sync);
sync();
wake();
