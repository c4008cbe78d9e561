// The player: takes what Python sends, plays it, and mirrors its state to data attributes.
const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
const root = element.querySelector('.sat');
const photo = root.querySelector('.sat-photo');
const look = { mode: 'heat', smooth: true, opacity: 0.8, scale: 'caption' };
let data = { run: -1, phase: 'empty', words: [], grid: [14, 14], done: false, captions: [] };
let words = [];
let preview = null;
let region = null; // of cells, chosen by a click or a drag: top, left, bottom, right
let pointed = null; // under the pointer
let chosen = 0; // of the captions found
let coverage = false;
let table = colourTable(look.mode, look.opacity);
let last = null;
let request = null;

const stage = createStage(root, reduced);
const mind = createMind(root, { branch: trigger && ((word) => data.done && ask('word', { word })) });
const whatIf = createWhatIf(root, { ask: trigger && ask });
const timeline = createTimeline(reduced);
const line = createWords(root, {
  preview(index) {
    preview = index;
    wake();
  },
  pin(index) {
    preview = null;
    coverage = false;
    timeline.state.playing = false;
    timeline.seek(index);
    wake();
  },
});
const race = createRace(root, {
  choose(index) {
    chosen = index;
    read();
    timeline.seek(0);
    timeline.state.playing = !reduced;
    refresh();
  },
});
const lecture = createLecture(root);

// Playing or stepping goes back from the coverage to single words.
function moved(act) {
  coverage = false;
  act();
  wake();
}

const controls = createControls(root, {
  toggle: () => moved(timeline.toggle),
  step: (by) => moved(() => timeline.step(by)),
  jump: (index) => moved(() => timeline.jump(index)),
  seek: (position) => moved(() => timeline.jump(Math.round(position))),
  coverage() {
    coverage = !coverage && words.length > 0;
    if (coverage) timeline.state.playing = false;
    wake();
  },
  lecture: () => (lecture.toggle(), wake()),
  leave: () => lecture.leave(),
  loop: () => ((timeline.state.loop = !timeline.state.loop), wake()),
  speed: (speed) => (timeline.state.speed = speed),
  look(change) {
    Object.assign(look, change);
    table = colourTable(look.mode, look.opacity);
    stage.setLook(look);
    refresh();
  },
});

// A question about the word on show.
function ask(kind, details) {
  trigger('ask', { kind, index: chosen, position: timeline.now().step, region, ...details });
}

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
  const fresh = value.run > data.run;
  if (fresh) {
    timeline.reset();
    stage.setGrid(value.grid);
    showRegion(null);
    preview = null;
    coverage = false;
    chosen = value.chosen || 0;
  }
  data = value;
  remember(data.settings, data.example);
  race.fill(data.captions);
  photo.alt = data.photo ? say('photo') : '';
  read();
  if (fresh) timeline.seek(data.start || 0);
  announce();
  refresh();
}

// The address restores what is on the page; an offline page has none to restore.
function remember(settings, example) {
  if (!settings || settings.length !== 3 || !location.protocol.startsWith('http')) return;
  const url = new URL(location.href);
  ['beam', 'temperature', 'seed'].forEach((name, index) => url.searchParams.set(name, settings[index]));
  if (example) url.searchParams.set('photo', example);
  else url.searchParams.delete('photo');
  if (url.href !== location.href) history.replaceState(history.state, '', url);
}

// The words of the caption that is played: the leader's, or those of another that was found.
function read() {
  const caption = data.captions[chosen];
  words = (caption ? caption.words : data.words).map(parsed);
  const own = caption && caption.photo;
  if (data.photo) stage.setPhoto((own || data.photo).url, data.size);
  timeline.setCount(words.length, data.done);
  line.fill(words, data.grid);
  race.mark(chosen);
  root.querySelector('.sat-cut').textContent = caption && !caption.finished ? say('cut') : '';
}

function announce() {
  const status = root.querySelector('.sat-status');
  status.textContent = say(data.phase) || '';
  const sentence = words.filter((word) => !word.end).map((word) => word.text).join(' ');
  root.querySelector('.sat-live').textContent = data.done ? say('caption') + ': ' + sentence : '';
}

function refresh() {
  line.drawThumbs(words, photo, data.grid, topOf, table);
  showRegion(region);
  wake();
}

// Marks a region of cells, and says how much of each word's attention lies in it.
function showRegion(chosenRegion) {
  region = chosenRegion;
  const marker = root.querySelector('.sat-cell');
  marker.hidden = !region;
  whatIf.enable(data.done && words.length > 0, region);
  if (!region) return line.showShares(null);
  const [rows, columns] = data.grid;
  const [top, left, bottom, right] = region;
  marker.style.left = (100 * left) / columns + '%';
  marker.style.top = (100 * top) / rows + '%';
  marker.style.width = (100 * (right + 1 - left)) / columns + '%';
  marker.style.height = (100 * (bottom + 1 - top)) / rows + '%';
  return line.showShares(words.map((word) => sumOf(word.alpha.filter((none, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    return row >= top && row <= bottom && column >= left && column <= right;
  }))));
}

function mirror(step) {
  const state = {
    run: data.run, phase: data.phase, count: words.length, step, playing: timeline.state.playing, preview: preview ?? '',
    caption: chosen, coverage, mode: look.mode, scale: look.scale,
  };
  for (const [name, value] of Object.entries(state)) {
    if (root.dataset[name] !== String(value)) root.dataset[name] = value;
  }
}

function show() {
  const { step, blend } = timeline.now();
  const previewed = preview !== null && preview < words.length;
  const index = previewed ? preview : step;
  const word = words[index];
  const summed = coverage && !previewed;
  line.mark(summed ? -1 : index, data.done && !timeline.state.playing ? words.length : Math.max(step, index));
  controls.show(timeline.state, words.length, coverage);
  mirror(step);
  if (shownWord !== word) mind.show(word, data.grid);
  shownWord = word;
  if (!word) return stage.aim(null, 1);
  const peakCell = word.alpha.indexOf(Math.max(...word.alpha));
  const place = pointed || (region && { row: region[0], column: region[1] });
  lecture.show(word, words[index - 1], place ? place.row * data.grid[1] + place.column : peakCell);
  if (summed) return showCoverage();
  const next = words[index + 1];
  const moving = index === step && blend > 0 && next;
  const alpha = moving ? word.alpha.map((weight, at) => weight + blend * (next.alpha[at] - weight)) : word.alpha;
  const top = moving ? topOf(word) + blend * (topOf(next) - topOf(word)) : topOf(word);
  controls.drawLegend(table, top, 1 / word.alpha.length, say('none'));
  return stage.aim(alpha, top);
}

function showCoverage() {
  const sum = words[0].alpha.map((none, at) => words.reduce((total, word) => total + word.alpha[at], 0));
  const top = Math.max(...sum);
  controls.drawLegend(table, top, words.length / sum.length, say('even'));
  stage.aim(sum, top);
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

// A click chooses a cell, a drag (not by touch, which scrolls) a region; the same cell again, none.
const photoFrame = root.querySelector('.sat-stage');
let from = null;
let before = null;
photoFrame.addEventListener('pointerdown', (event) => {
  from = words.length ? stage.cellAt(event) : null;
  before = region;
  if (from) showRegion([from.row, from.column, from.row, from.column]);
  event.preventDefault();
});
photoFrame.addEventListener('pointermove', (event) => {
  pointed = stage.cellAt(event);
  if (from && pointed && event.buttons === 1 && event.pointerType !== 'touch') {
    showRegion([Math.min(from.row, pointed.row), Math.min(from.column, pointed.column),
      Math.max(from.row, pointed.row), Math.max(from.column, pointed.column)]);
  }
  wake();
});
window.addEventListener('pointerup', () => {
  if (from && String(region) === String(before)) showRegion(null);
  from = null;
});
photoFrame.addEventListener('pointerleave', () => {
  pointed = null;
  wake();
});
acceptPhotos(root);
watch('value', sync);
sync();
wake();
