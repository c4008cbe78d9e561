// The player: its parts, and what each may ask of the others.
const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
const root = element.querySelector('.sat');
const FRAMED = ['place', 'hide']; // questions about a place on the photo
const state = createState();
const parts = {};

const pointing = {
  preview(index) {
    state.preview = index;
    parts.playback.wake();
  },
  pin(index) {
    state.preview = null;
    moved(() => parts.timeline.jump(index));
  },
};

// Playing or stepping goes back from the coverage to single words.
function moved(act) {
  state.coverage = false;
  act();
  parts.playback.wake();
}

// A question about the word on show.
function ask(kind, details) {
  const position = Math.min(parts.timeline.now().step, state.words.length - 1);
  trigger('ask', { kind, index: state.chosen, position, region: parts.cells.region(), ...details });
}

// The cell under the pointer, or where the keys have led; those who came by keys hear it.
function spoken(cell, keyed) {
  const word = state.word(parts.timeline.now().step);
  const share = cell && word ? word.alpha[cell.row * state.data.grid[1] + cell.column] : 0;
  setText(root.querySelector('.sat-spoken'), !keyed || !cell || !word ? '' : say('cellWords', {
    row: cell.row + 1, column: cell.column + 1, share: percent(share, 1), word: word.end ? say('end') : word.text }));
  parts.playback.wake();
}

parts.stage = createStage(root, reduced);
parts.timeline = createTimeline(reduced);
parts.mind = createMind(root, { branch: trigger && ((word) => state.data.done && ask('word', { word })) });
parts.whatIf = createWhatIf(root, { ask: trigger && ask });
parts.line = createWords(root, pointing);
parts.beside = createBeside(root, reduced, { ...pointing, close: () => parts.captions.pair(-1) });
parts.answer = createAnswer(root);
parts.cells = createCells(root, parts.stage, {
  ready: () => state.words.length > 0,
  framing: () => FRAMED.includes(root.dataset.question),
  region: (region) => parts.captions.showShares(region),
  point: spoken,
});
parts.lookers = createLookers(root, { pin: pointing.pin, clear: () => parts.cells.clear() });
parts.race = createRace(root, { choose: (index) => parts.captions.choose(index, 0, !reduced) });
parts.tree = createTree(root, { choose: (index, step) => parts.captions.choose(index, step, false) });
parts.lecture = createLecture(root, () => parts.playback.wake());
parts.numbers = trigger && createNumbers((asked) => trigger('explain', asked), () => parts.playback.wake());
parts.playback = createPlayback(root, state, parts);
parts.captions = createCaptions(root, state, parts);
parts.controls = createControls(root, {
  toggle: () => moved(parts.timeline.toggle),
  step: (by) => moved(() => parts.timeline.step(by)),
  jump: (index) => moved(() => parts.timeline.jump(index)),
  seek: (position) => moved(() => parts.timeline.jump(Math.round(position))),
  coverage() {
    state.coverage = !state.coverage && state.words.length > 0;
    if (state.coverage) parts.timeline.state.playing = false;
    parts.playback.wake();
  },
  pair: parts.captions.togglePair,
  lecture: () => (parts.lecture.toggle(), parts.playback.wake()),
  leave: () => parts.lecture.leave(),
  loop: () => ((parts.timeline.state.loop = !parts.timeline.state.loop), parts.playback.wake()),
  speed: (speed) => (parts.timeline.state.speed = speed),
  look(change) {
    state.setLook(change);
    parts.stage.setLook(state.look);
    parts.beside.setLook(state.look);
    parts.captions.refresh();
  },
});

root.querySelectorAll('[data-say]').forEach((each) => (each.textContent = say(each.dataset.say)));
root.querySelectorAll('[data-label]').forEach((each) => {
  each.setAttribute('aria-label', say(each.dataset.label));
  each.title = say(each.dataset.label);
});
root.querySelector('.sat-photo').addEventListener('load', parts.captions.refresh);

acceptPhotos(root, props.max_upload, trigger && (() => trigger('refuse')));
const arrived = createArrival(root, state, parts);
watch('value', () => arrived(props.value));
arrived(props.value);
parts.playback.wake();
