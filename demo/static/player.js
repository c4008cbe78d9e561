// The player: takes what Python sends, plays it, and mirrors its state to data attributes.
const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
const root = element.querySelector('.sat');
const photo = root.querySelector('.sat-photo');
const SHARPEST = 4; // a scale ends at four times "no preference" or higher: an even map must not look like a choice
const look = { mode: 'heat', smooth: true, opacity: 0.8, scale: 'word' };
let data = { run: -1, phase: 'empty', words: [], grid: [14, 14], done: false, captions: [] };
let words = [];
let preview = null;
let chosen = 0; // of the captions found
let companion = -1; // the one that plays in step beside it
let coverage = false;
let table = colourTable(look.mode, look.opacity);
let last = null;
let request = null;

const stage = createStage(root, reduced);
const mind = createMind(root, { branch: trigger && ((word) => data.done && ask('word', { word })) });
const whatIf = createWhatIf(root, { ask: trigger && ask });
const timeline = createTimeline(reduced);
const pointing = {
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
};
const line = createWords(root, pointing);
const beside = createBeside(root, reduced, { ...pointing, close: () => pair(-1) });
const change = createChange(root);
const cells = createCells(root, stage, {
  ready: () => words.length > 0,
  region: showShares,
  point: spoken,
});
const race = createRace(root, { choose: (index) => choose(index, 0, !reduced) });
const tree = createTree(root, { choose: (index, step) => choose(index, step, false) });
const lecture = createLecture(root, () => wake());
const numbers = trigger && createNumbers((asked) => trigger('explain', asked), () => wake());

// The chosen caption and another one side by side, or (-1) no longer.
function pair(index) {
  companion = index;
  read();
  refresh();
}

function togglePair() {
  if (companion >= 0 || data.captions.length < 2) pair(-1);
  else pair(chosen === 0 ? 1 : 0);
}

function choose(index, step, playing) {
  if (index === companion) companion = chosen;
  chosen = index;
  read();
  tree.light(chosen);
  timeline.seek(step);
  timeline.state.playing = playing;
  refresh();
}

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
  pair: togglePair,
  lecture: () => (lecture.toggle(), wake()),
  leave: () => lecture.leave(),
  loop: () => ((timeline.state.loop = !timeline.state.loop), wake()),
  speed: (speed) => (timeline.state.speed = speed),
  look(change) {
    Object.assign(look, change);
    table = colourTable(look.mode, look.opacity);
    stage.setLook(look);
    beside.setLook(look);
    refresh();
  },
});

// A question about the word on show.
function ask(kind, details) {
  const position = Math.min(timeline.now().step, words.length - 1);
  trigger('ask', { kind, index: chosen, position, region: cells.region(), ...details });
}

function parsed(word) {
  return {
    text: word.w, end: word.end, alpha: decodeAlpha(word.a, word.m), map: word.a, peak: word.m, chance: word.p,
    entropy: word.h, gate: word.b, alternatives: word.alt,
  };
}

function captionTop() {
  return [...words, ...beside.words()].reduce((top, word) => Math.max(top, word.peak), 1e-6);
}

function topOf(word) {
  return look.scale === 'word' ? Math.max(word.peak, SHARPEST / word.alpha.length) : captionTop();
}

// Idempotent: every message holds everything. A new run clears, an older one comes too late.
function sync() {
  if (!props.value) return;
  const value = unfold(props.value);
  if (value.run < data.run || value.version !== 2) return;
  if (value.phase === 'asking') return asking(value.ahead);
  const fresh = value.run > data.run;
  if (fresh) {
    timeline.reset();
    stage.setGrid(value.grid);
    cells.reset(value.grid);
    preview = null;
    coverage = false;
    chosen = value.chosen || 0;
    companion = value.beside ?? -1;
  }
  data = value;
  remember(data.settings, data.example);
  race.fill(data.captions);
  tree.fill(data, chosen);
  photo.alt = data.photo ? say('photo') : '';
  read();
  if (fresh) timeline.seek(data.start || 0);
  // A word that looked elsewhere waits to be looked at.
  if (fresh && data.captions[chosen] && data.captions[chosen].change) timeline.state.playing = false;
  announce();
  refresh();
}

// The model works on an answer; the page keeps what it has.
function asking(ahead) {
  data = { ...data, phase: 'asking' };
  root.querySelector('.sat-status').textContent = say(ahead ? 'waiting' : 'asking', { ahead });
  wake();
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
  line.fill(words, data.grid);
  readCompanion(caption, data.captions[companion]);
  timeline.setCount(Math.max(words.length, beside.words().length), data.done);
  race.mark(chosen);
  const pairable = data.captions.length > 1;
  root.querySelector('.sat-pair').hidden = !pairable;
  root.querySelector('.sat-pair').setAttribute('aria-pressed', String(companion >= 0));
  root.querySelector('.sat-cut').textContent = caption && !caption.finished ? say('cut') : '';
}

function readCompanion(caption, other) {
  change.show(caption && (caption.change || (other && other.change)));
  if (!caption || !other) return beside.close();
  const named = (each, its) => ({
    caption: each, words: each.words.map(parsed),
    name: paneName(each, its, data.captions.indexOf(each), data.settings || []) });
  const url = (other.photo || data.photo).url;
  return beside.open(named(other, caption), named(caption, other), { url, size: data.size, grid: data.grid, look });
}

function announce() {
  const status = root.querySelector('.sat-status');
  status.textContent = say(data.phase, { ahead: data.ahead }) || '';
  const sentence = words.filter((word) => !word.end).map((word) => word.text).join(' ');
  root.querySelector('.sat-live').textContent = data.done ? say('caption') + ': ' + sentence : '';
}

function refresh() {
  line.drawThumbs(words, photo, data.grid, topOf, table);
  showShares(cells.region());
  wake();
}

// Says on each word how much of its attention lies in the region that is marked.
function showShares(region) {
  whatIf.enable(data.done && words.length > 0, region);
  line.showShares(region && words.map((word) => shareIn(word.alpha, region, data.grid)));
  beside.showRegion(region);
}

// The cell under the pointer, or where the keys have led; those who came by keys hear it.
function spoken(cell, keyed) {
  const word = words[Math.min(timeline.now().step, words.length - 1)];
  const share = cell && word ? word.alpha[cell.row * data.grid[1] + cell.column] : 0;
  setText(root.querySelector('.sat-spoken'), !keyed || !cell || !word ? '' : say('cellWords', {
    row: cell.row + 1, column: cell.column + 1, share: percent(share, 1), word: word.end ? say('end') : word.text }));
  wake();
}

function mirror(step) {
  const state = {
    run: data.run, phase: data.phase, count: words.length, step, playing: timeline.state.playing, preview: preview ?? '',
    caption: chosen, beside: companion < 0 ? '' : companion, coverage, mode: look.mode, scale: look.scale,
  };
  for (const [name, value] of Object.entries(state)) {
    if (root.dataset[name] !== String(value)) root.dataset[name] = value;
  }
}

function show() {
  const { step, blend } = timeline.now();
  const count = Math.max(words.length, beside.words().length);
  const previewed = preview !== null && preview < count;
  const at = previewed ? preview : step;
  const index = Math.min(at, words.length - 1);
  const word = words[index];
  const summed = coverage && !previewed;
  const playing = timeline.state.playing;
  line.mark(summed ? -1 : index, data.done && !playing ? words.length : Math.max(step, index));
  controls.show(timeline.state, count, coverage);
  tree.mark(index);
  mirror(step);
  if (shownWord !== word) mind.show(word, data.grid);
  shownWord = word;
  beside.show(at, previewed ? 0 : blend, summed, topOf, playing);
  if (!word) return stage.aim(null, 1);
  showEquations(word, index);
  if (summed) return showCoverage();
  const next = index === step ? words[index + 1] : null;
  const [alpha, top] = between(word, next, previewed ? 0 : blend, topOf);
  controls.drawLegend(table, top, 1 / word.alpha.length, say('none'));
  return stage.aim(alpha, top);
}

// Lecture mode: numbers of the cell pointed at, else of the chosen one, else of the strongest.
function showEquations(word, index) {
  if (!lecture.on()) return;
  const region = cells.region();
  const strongest = word.alpha.indexOf(Math.max(...word.alpha));
  const cell = cells.pointed() || (region ? { row: region[0], column: region[1] }
    : { row: Math.floor(strongest / data.grid[1]), column: strongest % data.grid[1] });
  const asked = (position) => ({ run: data.run, index: chosen, position });
  const known = numbers && data.captions[chosen] && numbers.of(asked(index));
  if (known && index + 1 < words.length) numbers.of(asked(index + 1)); // so that the next word need not wait
  lecture.show(word, words[index - 1], cell, data.grid, known);
}

function showCoverage() {
  const sum = coverageOf(words);
  const top = Math.max(...sum);
  controls.drawLegend(table, top, words.length / sum.length, say('even'));
  stage.aim(sum, top);
}

function frame(time) {
  const elapsed = last === null ? 16 : Math.min(time - last, 100);
  last = time;
  timeline.advance(elapsed);
  show();
  const moving = [stage.tick(elapsed), beside.tick(elapsed)].includes(true);
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

acceptPhotos(root);
watch('value', sync);
sync();
wake();
