// A lesson that leads itself: each step sets the page, says one sentence and names one thing to try. A step that asks the
// model waits for its answer, and says so.
import { isShowing } from '../model/live.js';
import {
  isAnother, isAnswered, isGone, isWaiting, NO_LESSON, planOf, stepAsked, stepOf, STEPS, stillSent,
} from '../model/lesson.js';
import { answerThere } from '../model/messages.js';
import { chose, momentOf, openedQuestion, paired } from '../model/state.js';
import { filled, say } from '../model/strings.js';
import { nameOf, wordName } from '../model/wording.js';
import { setAttribute, setText } from './elements.js';
import { onWished, rememberLesson, tell } from './page.js';
import { store as keep, stored } from './storage.js';

const KEPT = 'sat-lesson'; // the number of the step at which it was left
const OTHERS_KEYS = 'textarea, select, dialog, [role="listbox"], [aria-expanded="true"][role="combobox"]';

// ``ask``: as the questions do. ``guess``: see `createGuess`. ``go``: to a word of the caption. ``leaveLive``: the camera goes off.
export function createLesson(root, store, { ask, guess, go, leaveLive }) {
  const panel = root.querySelector('.sat-lesson');
  const [title, says, tries, note] = ['title', 'says', 'tries', 'note'].map((name) => panel.querySelector('.sat-lesson-' + name));
  const [back, next, skip, close] = ['back', 'next', 'skip', 'close'].map((name) => panel.querySelector('.sat-lesson-' + name));
  const field = root.querySelector('.sat-own input');

  const set = (change) => store.set({ lesson: { ...store.get().lesson, ...change } });
  const isToAsk = ({ lesson, data, chosen }) => Boolean(lesson.plan && lesson.plan.ask) && !lesson.sent && !isAnswered(lesson, data, chosen);

  function begin(step) {
    set({ on: true, step, plan: null });
    keep('localStorage', KEPT, String(step + 1));
  }

  function end() {
    store.set({ lesson: NO_LESSON });
    guess.leave();
  }

  function toggle() {
    if (store.get().lesson.on) return end();
    leaveLive();
    begin(stepOf(stored('localStorage', KEPT)));
    const { top, bottom } = panel.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) panel.scrollIntoView({ block: 'center' });
    if (!store.get().guess.on) next.focus({ preventScroll: true });
  }

  function forward() {
    const { step } = store.get().lesson;
    if (step + 1 < STEPS.length) return begin(step + 1);
    keep('localStorage', KEPT, null);
    end();
  }

  // What the step asks of the model; or the next step. It waits for its answer; who does not want to has a button for that.
  function advance() {
    const state = store.get();
    const { plan } = state.lesson;
    if (isWaiting(state.lesson)) return;
    if (!isToAsk(state)) return forward();
    if (answerThere(state.data, plan.ask) < 0) set({ sent: plan });
    ask(plan.ask.kind, plan.ask);
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
      region: plan.region, ranked: name === 'who', ...openedQuestion(plan.question), lesson: { ...lesson, plan, sent: stillSent(lesson, data) },
    });
    go(plan.position);
    if (name === 'guess') guess.enter();
    if (name === 'own') field.focus({ preventScroll: true });
  }

  function tried(state, texts) {
    const { lesson, data, chosen, phase } = state;
    if (!lesson.plan) return say(phase === 'stopped' ? 'lessonStopped' : 'lessonWriting');
    if (isWaiting(lesson)) return say('lessonWaits');
    if (isAnswered(lesson, data, chosen)) return texts.then;
    return texts.tries;
  }

  function draw(state) {
    const { lesson } = state;
    const texts = say('lesson')[lesson.step];
    const { plan } = lesson;
    const word = plan && (STEPS[lesson.step] === 'chances' ? momentOf(state).word : plan.word);
    const values = { word: word ? nameOf(word) : '…', other: plan ? wordName(plan.other || '') : '…' };
    const fill = (text) => filled(text, values);
    setText(title, say('lessonStep', { number: lesson.step + 1, count: STEPS.length, title: texts.title }));
    setText(says, fill(texts.says));
    setText(tries, fill(tried(state, texts)));
    setText(note, lesson.step === 1 ? say('lessonOwnPhoto') : '');
    const toAsk = isToAsk(state);
    setText(next, toAsk ? fill(texts.acts) : say(lesson.step + 1 < STEPS.length ? 'lessonNext' : 'lessonEnd'));
    skip.hidden = !toAsk && !isWaiting(lesson);
    setAttribute(next, 'aria-disabled', String(isWaiting(lesson)));
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
    if (!event.repeat) act();
  });

  // The answer that was waited for stays; one that comes when its step was left makes way for the step that is open. A message
  // that holds everything and no answer says that there will be none.
  function follow(state, before) {
    const { lesson, data } = state;
    if (!lesson.on) return;
    if (isGone(lesson, data)) set({ plan: null });
    else if (isAnother(lesson, data)) prepare(state);
    else if (lesson.sent && data !== before.data && data.done) {
      if (isWaiting(lesson)) set({ sent: null });
      else prepare({ ...state, lesson: { ...lesson, sent: null } });
    }
  }

  store.subscribe(['lesson', 'data'], follow);
  store.subscribe(['lesson'], ({ lesson: { on, step } }) => {
    panel.hidden = !on;
    if (on) root.dataset.lesson = STEPS[step];
    else delete root.dataset.lesson;
    tell('lesson', on);
    rememberLesson(on ? step + 1 : null);
  });
  store.subscribe(['lesson', 'data', 'phase', 'chosen', 'step', 'preview'], (state) => state.lesson.on && draw(state));
  const asked = stepAsked(location.search);
  if (asked !== null) begin(asked);
  return { toggle };
}
