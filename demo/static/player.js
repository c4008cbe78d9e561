// The player: its parts, and what each may ask of the others. The views show what the store holds; buttons, keys and
// messages change that.
import { isSecret } from './model/guess.js';
import { answerThere, onArrival, servedAddress, startOf } from './model/messages.js';
import {
  askedPlace, cameBack, captionOf, chose, countOf, coverageToggled, createStore, firstState, looked, paired, pairToggled, received,
} from './model/state.js';
import { say, spoken } from './model/strings.js';
import { createTimeline } from './model/timeline.js';
import { mapDescription, nameOf, sentence } from './model/wording.js';
import { createAnswer, createSecondPane } from './view/comparison.js';
import { label } from './view/elements.js';
import { createGlossary, createHowItWorks } from './view/explanations.js';
import { createGuess } from './view/guess.js';
import { createLecture } from './view/lecture.js';
import { createLesson } from './view/lesson.js';
import { createLive } from './view/live.js';
import { closeBeside, createNumbers, keepHeight, keepInSight, remember, summarize, tellShown } from './view/page.js';
import { acceptPhotos, createKeptPhoto } from './view/photos.js';
import { createControls, createPlayback } from './view/playback.js';
import { createQuestions, createWordField } from './view/questions.js';
import { createCaptionList, createNotes, createSearchTree } from './view/search.js';
import { createRegionPicker, createRegionRanking, createSpokenCell, createStage } from './view/stage.js';
import { createWordPanel, createWords } from './view/words.js';

export function startPlayer({ element, props, watch, trigger }) {
  const reduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const root = element.querySelector('.sat');
  const photo = root.querySelector('.sat-photo');
  const store = createStore(firstState(props.looks));
  root.querySelector('.sat-opacity').value = props.looks.opacity;
  const timeline = createTimeline(store, reduced);
  // A change that follows from the state as it is.
  const update = (change, ...details) => store.set(change(store.get(), ...details));

  // Playing or stepping goes back from the coverage to single words.
  function moved(act) {
    store.set({ coverage: false });
    act();
    playback.wake();
  }

  const jump = (index) => moved(() => timeline.jump(index));
  const pointing = {
    preview: (preview) => store.set({ preview }),
    pin(index) {
      store.set({ preview: null });
      jump(index);
    },
  };

  function choose(index, step = 0, playing = !reduced) {
    update(chose, index);
    timeline.jump(step, playing);
    playback.wake();
  }

  // A question about the word on show; what was asked before has its answer here.
  function ask(kind, details) {
    const state = store.get();
    const question = { kind, ...askedPlace(state), keep: state.keep, region: state.region, ...details };
    const there = answerThere(state.data, question);
    if (there < 0) return trigger('ask', question);
    update(cameBack, there);
    timeline.jump(startOf(question), !reduced && !captionOf(store.get()).change);
    playback.wake();
  }

  // A new run begins where its message says; a word that looked elsewhere waits there to be looked at.
  function follow(state, before) {
    const fresh = state.data.run !== before.data.run;
    if (fresh) timeline.reset();
    keepHeight(root, !state.data.done);
    timeline.setCount(countOf(state), state.data.done);
    const caption = captionOf(state);
    if (fresh) timeline.jump(state.data.start || 0, store.get().playing && !(caption && caption.change));
  }

  root.querySelectorAll('[data-say]').forEach((each) => (each.textContent = say(each.dataset.say)));
  root.querySelectorAll('[data-label]').forEach((each) => label(each, say(each.dataset.label)));

  const stage = createStage(root, reduced);
  const line = createWords(root, pointing);
  const { look, table } = store.get();
  stage.setLook(look, table);
  store.subscribe(['data', 'words'], (state, before) => {
    const { data } = state;
    const caption = captionOf(state);
    if (data.run !== before.data.run) stage.setGrid(data.grid);
    if (data.photo) stage.setPhoto(servedAddress((caption && caption.photo) || data.photo), data.size);
    photo.alt = data.photo ? (data.done && sentence(state.words)) || say('photo') : '';
  });
  store.subscribe(['data', 'words', 'guess'], (state) => line.fill(state.words, (word, index) => (
    isSecret(state, { index }) ? nameOf(word) : mapDescription(word, state.data.grid))));
  store.subscribe(['look'], (state) => stage.setLook(state.look, state.table));
  store.subscribe(['data'], ({ data }) => {
    remember(data.settings, data.example);
    summarize(data.settings);
  });

  const numbers = trigger && createNumbers((asked) => trigger('explain', asked), (arrived) => store.set({ numbers: arrived }));
  const branch = trigger && ((word) => store.get().data.done && ask('word', { word }));
  const finish = trigger && ((words) => ask('branch', { words }));
  const tree = createSearchTree(root, store, (index, step) => choose(index, step, false), finish);
  const secondPane = createSecondPane(root, store, line, reduced, {
    ...pointing, ask: trigger && ask, close: () => update(paired, -1) });
  const questions = createQuestions(root, store, trigger && ask);
  createWordField(root, store, trigger && ask, trigger && ((asked) => trigger('complete', asked)));
  const lecture = createLecture(root, store, numbers);
  const kept = createKeptPhoto();
  const study = trigger && ((moment) => {
    kept.bring(null);
    trigger('study', { photo: moment });
  });
  const live = createLive(root, store, reduced, { study, lecture: lecture.toggle });
  createCaptionList(root, store, choose);
  createNotes(root, store);
  const answer = createAnswer(root, store, Boolean(trigger));
  createRegionPicker(root.querySelector('.sat-top .sat-frame'), store, stage, trigger && ask);
  createSpokenCell(root, store);
  const guess = createGuess(root, store, stage, jump);
  createRegionRanking(root, store, line, pointing.pin);
  store.subscribe(['data', 'words', 'others', 'look'], (state) => line.drawThumbs(state, photo));
  photo.addEventListener('load', () => line.drawThumbs(store.get(), photo));
  store.subscribe(['data', 'words', 'others'], follow);
  const lesson = trigger && createLesson(root, store, { ask, guess, go: jump, leaveLive: live.leave });

  const controls = createControls(root, store, {
    jump,
    toggle() {
      guess.leave();
      if (!live.study()) moved(timeline.toggle);
    },
    live: live.toggle,
    step: (by) => moved(() => timeline.step(by)),
    seek: (position) => jump(Math.round(position)),
    coverage: () => update(coverageToggled),
    pair: () => update(pairToggled),
    lesson: () => lesson && lesson.toggle(),
    lecture: lecture.toggle,
    leave: lecture.leave,
    reveal: lecture.reveal,
    looks: lecture.looks,
    loop: () => store.set({ loop: !store.get().loop }),
    speed: (speed) => store.set({ speed }),
    look: (change) => update(looked, change),
  });
  const captionLine = {
    show({ index, summed }, { data, playing, step, words }) {
      line.mark(summed ? -1 : index, data.done && !playing ? words.length : Math.max(step, index));
    },
  };
  const playback = createPlayback(root, store, timeline, {
    views: [captionLine, tree, createWordPanel(root, branch), questions, answer, lecture, secondPane, guess], stage, secondPane, controls, howItWorks: createHowItWorks(root) });

  createGlossary(root, spoken(props.glossary));
  keepInSight(root);
  closeBeside();
  const refuse = trigger && ((kind) => trigger('refuse', { kind }));
  const send = acceptPhotos(props.max_upload, refuse, kept.bring);
  if (trigger) store.subscribe(['data'], ({ data }) => kept.shown(data.photo && servedAddress(data.photo), data.example));
  store.subscribe(['phase'], ({ phase }) => phase === 'lost' && restore());

  // The server has forgotten this page, or is another one by now: an example is in the address, a photo is sent again.
  function restore() {
    if (!kept.isNeeded(location.search)) return location.reload();
    const file = kept.file();
    if (file) return send(file);
    refuse('gone');
    store.set({ phase: 'stopped' });
  }

  tellShown(() => {
    const { data: { run }, chosen, look: { mode, scale } } = store.get();
    return { run, index: chosen, look: mode, scale };
  });

  function receive(sent) {
    const change = received(store.get(), sent, props.version);
    if (change) store.set(change);
  }
  watch('value', () => receive(props.value));
  receive(trigger && props.value ? onArrival(props.value, location.search) : props.value);
  playback.wake();
}
