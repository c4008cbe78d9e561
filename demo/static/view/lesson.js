// A lesson that leads itself: each step sets the page, says one sentence and names one thing to try. A step that asks the
// model waits for its answer, and says so.
import { isShowing } from '../model/live.js';
import { isAnother, isAnswered, NO_LESSON, planOf, stepAsked, stepOf, STEPS } from '../model/lesson.js';
import { chose, openedQuestion, paired } from '../model/state.js';
import { filled, say } from '../model/strings.js';
import { nameOf, wordName } from '../model/wording.js';
import { setText } from './elements.js';
import { onWished, rememberLesson, tell } from './page.js';
import { store as keep, stored } from './storage.js';

const KEPT = 'sat-lesson'; // the number of the step at which it was left
const OTHERS_KEYS = 'textarea, select, dialog, [role="listbox"], [aria-expanded="true"][role="combobox"]';

// ``ask``: as the questions do. ``guess``: see `createGuess`. ``go``: to a word of the caption.
export function createLesson(root, store, { ask, guess, go }) {
  const panel = root.querySelector('.sat-lesson');
  const [title, says, tries, note] = ['title', 'says', 'tries', 'note'].map((name) => panel.querySelector('.sat-lesson-' + name));
  const [back, next, skip, close] = ['back', 'next', 'skip', 'close'].map((name) => panel.querySelector('.sat-lesson-' + name));
  const field = root.querySelector('.sat-own input');

  const set = (change) => store.set({ lesson: { ...store.get().lesson, ...change } });
  const isWaiting = ({ lesson, data }) => lesson.sent && !isAnswered(lesson, data);
  const isToAsk = ({ lesson, data }) => Boolean(lesson.plan && lesson.plan.ask) && !lesson.sent && !isAnswered(lesson, data);

  function begin(step) {
    set({ on: true, step, plan: null, sent: false });
    keep('localStorage', KEPT, String(step + 1));
  }

  function end() {
    store.set({ lesson: NO_LESSON });
    guess.leave();
  }

  function toggle() {
    if (store.get().lesson.on) return end();
    begin(stepOf(stored('localStorage', KEPT)));
    if (!store.get().guess.on) next.focus({ preventScroll: true });
  }

  function forward() {
    const { step } = store.get().lesson;
    if (step + 1 < STEPS.length) return begin(step + 1);
    keep('localStorage', KEPT, null);
    end();
  }

  // What the step asks of the model; or the next step.
  function advance() {
    const state = store.get();
    if (!isToAsk(state)) return forward();
    set({ sent: true });
    ask(state.lesson.plan.ask.kind, state.lesson.plan.ask);
  }

  const backward = () => store.get().lesson.step && begin(store.get().lesson.step - 1);

  // The page as the step wants it: the caption that the search found, alone, at a word, with its frame and its question.
  function prepare(state) {
    const { lesson, data } = state;
    const plan = planOf(lesson.step, data);
    const name = STEPS[lesson.step];
    if (name !== 'guess') guess.leave();
    const alone = paired(state, -1);
    store.set({
      ...alone, ...chose({ ...state, ...alone }, 0), keep: false, coverage: false, preview: null, pointed: null,
      region: plan.region, ranked: name === 'who', ...openedQuestion(plan.question), lesson: { ...lesson, plan, sent: false },
    });
    go(plan.position);
    if (name === 'guess') guess.enter();
    if (name === 'own') field.focus({ preventScroll: true });
  }

  function tried(state, texts) {
    const { lesson, data } = state;
    if (!lesson.plan) return say('lessonWriting');
    if (isWaiting(state)) return say('lessonWaits');
    if (isAnswered(lesson, data)) return texts.then;
    return texts.tries;
  }

  function draw(state) {
    const { lesson } = state;
    const texts = say('lesson')[lesson.step];
    const values = lesson.plan ? { word: nameOf(lesson.plan.word), other: wordName(lesson.plan.other || '') } : { word: '…', other: '…' };
    const fill = (text) => filled(text, values);
    setText(title, say('lessonStep', { number: lesson.step + 1, count: STEPS.length, title: texts.title }));
    setText(says, fill(texts.says));
    setText(tries, fill(tried(state, texts)));
    setText(note, lesson.step === 1 ? say('lessonOwnPhoto') : '');
    const toAsk = isToAsk(state);
    setText(next, toAsk ? fill(texts.acts) : say(lesson.step + 1 < STEPS.length ? 'lessonNext' : 'lessonEnd'));
    skip.hidden = !toAsk;
    back.disabled = lesson.step === 0;
  }

  back.addEventListener('click', backward);
  next.addEventListener('click', advance);
  skip.addEventListener('click', forward);
  close.addEventListener('click', end);
  onWished('lesson', toggle);
  document.addEventListener('keydown', (event) => {
    const { lesson, live } = store.get();
    if (!lesson.on || isShowing(live) || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { PageDown: advance, PageUp: backward }[event.key]; // as presenters' remote controls send
    if (!act || event.target.closest(OTHERS_KEYS)) return;
    event.preventDefault();
    act();
  });

  store.subscribe(['lesson', 'data'], (state) => state.lesson.on && isAnother(state.lesson, state.data) && prepare(state));
  store.subscribe(['lesson', 'data'], (state) => {
    const { on, step } = state.lesson;
    panel.hidden = !on;
    if (on) root.dataset.lesson = STEPS[step];
    else delete root.dataset.lesson;
    tell('lesson', on);
    rememberLesson(on ? step + 1 : null);
    if (on) draw(state);
  });
  const asked = stepAsked(location.search);
  if (asked !== null) begin(asked);
  return { toggle };
}
