// The live camera: the browser's own, and its picture on the page with the words and attention of the newest captioned frame.
import {
  answered, asked, covered, ended, held, isDark, isLooking, isShowing, LIVE_OFF, liveMap, paceOf, PATIENCE, started, studying,
  wordAt,
} from '../model/live.js';
import { say } from '../model/strings.js';
import { make, press, setText } from './elements.js';
import { onWished, tell } from './page.js';
import { createStage } from './stage.js';

const FRAME_SIDE = 320; // pixels of a frame's longer side
const MOMENT_SIDE = 1280; // of a moment to be studied
const MOMENT_FILE = 900000; // characters of its file; the server reads messages of a megabyte
const QUALITY = 0.8; // of a frame's JPEG
const TINY = 16; // pixels a side of what tells whether the camera sees anything
const PAUSE = 250; // milliseconds before the next try, where others wait or nothing is to be seen
const ANSWER = 20000; // milliseconds that an answer may take
const STUDY = 20000; // that a studied moment may take to become a photo
const FAILURES = {
  NotAllowedError: 'liveDenied', SecurityError: 'liveDenied', NotFoundError: 'liveNone', OverconstrainedError: 'liveNone',
  NotReadableError: 'liveTaken', AbortError: 'liveTaken',
};

// --- the browser's camera: one stream, its frames, and its end

// Why there is no camera: the name of a text.
function failureOf(error) {
  return FAILURES[error.name] || 'liveNone';
}

function canvas() {
  return document.createElement('canvas');
}

// Draw a video into a canvas, its longer side at most so many pixels.
function drawn(video, target, side) {
  const { videoWidth: width, videoHeight: height } = video;
  const scale = Math.min(1, side / Math.max(width, height));
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  if (target.width !== size.width || target.height !== size.height) Object.assign(target, size);
  target.getContext('2d').drawImage(video, 0, 0, size.width, size.height);
  return target;
}

function fileIn(url) {
  return url.slice(url.indexOf(',') + 1);
}

// ``lost``: called if the camera ends by itself. Its light goes off with the last track.
function createCamera(video, lost) {
  const small = canvas();
  const tiny = canvas();
  const eye = Object.assign(tiny, { width: TINY, height: TINY }).getContext('2d', { willReadFrequently: true });
  let [sent, shown] = [canvas(), canvas()]; // the moments of the frame on its way, and of the one that was captioned
  let stream = null;
  let wish = 0; // rises with every opening and closing; what comes late is switched off
  let settings = {}; // of the stream, as the browser tells them
  let facing = 'environment'; // on phones the camera at the back comes first
  let at = -1; // the picture that was last taken

  function close() {
    wish++;
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
  }

  async function several() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === 'videoinput');
  }

  // Open the camera that is asked for; whether it was, and is still wanted.
  async function open(chosen) {
    close();
    const mine = wish;
    const size = { width: { ideal: MOMENT_SIDE }, height: { ideal: 720 } };
    const got = await navigator.mediaDevices.getUserMedia({ video: { ...chosen, ...size }, audio: false });
    if (mine !== wish) {
      got.getTracks().forEach((track) => track.stop());
      return false;
    }
    stream = got;
    const [track] = got.getVideoTracks();
    settings = track.getSettings();
    track.addEventListener('ended', () => stream === got && lost());
    at = -1;
    video.srcObject = got;
    await video.play();
    return mine === wish;
  }

  return {
    close,
    // Whether this browser gives a page like this one a camera at all: else the name of a text that says why.
    refusal() {
      if (navigator.mediaDevices && navigator.mediaDevices.getUserMedia) return '';
      return window.isSecureContext ? 'liveNone' : 'liveInsecure';
    },
    open: () => open({ facingMode: { ideal: facing } }),
    several: async () => (await several()).length > 1,
    // The other camera: of a phone the one on its other side, else the next.
    async turn() {
      const { facingMode, deviceId } = settings;
      if (facingMode) {
        facing = facingMode === 'environment' ? 'user' : 'environment';
        return open({ facingMode: { ideal: facing } });
      }
      const devices = (await several()).map((device) => device.deviceId);
      return open({ deviceId: { exact: devices[(devices.indexOf(deviceId) + 1) % devices.length] } });
    },
    // The newest picture as a JPEG file in base64; null if it was taken already. ``dark``: it shows nothing, and no file
    // is made.
    frame() {
      if (!stream || !video.videoWidth || video.currentTime === at) return null;
      at = video.currentTime;
      drawn(video, small, FRAME_SIDE);
      eye.drawImage(small, 0, 0, TINY, TINY);
      if (isDark(eye.getImageData(0, 0, TINY, TINY).data)) return { dark: true };
      drawn(video, sent, MOMENT_SIDE);
      return { dark: false, jpeg: fileIn(small.toDataURL('image/jpeg', QUALITY)) };
    },
    // The frame that was sent last is the one with words now.
    captioned() {
      [sent, shown] = [shown, sent];
    },
    // That moment in full: a canvas.
    moment: () => shown,
  };
}

// A canvas as a JPEG file in base64, in at most so many characters.
function fileOf(picture, limit) {
  const made = [0.92, 0.8, 0.6, 0.4].map((quality) => () => fileIn(picture.toDataURL('image/jpeg', quality)));
  for (const encoded of made) {
    const file = encoded();
    if (file.length <= limit) return file;
  }
  return '';
}

// --- the camera on the page

class Refusal extends Error {}

// Ask the server about one frame. It stands in no queue of Gradio's: the answer comes over the same connection.
async function ask(data, signal) {
  const answer = await fetch(location.pathname.replace(/\/$/, '') + '/gradio_api/run/live', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ data }), signal,
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(content.error || say('liveLost'));
  return content.data[0];
}

// ``study``: makes a photo of a file in base64. ``lecture``: goes to lecture mode and back.
export function createLive(element, store, reduced, { study, lecture }) {
  const section = element.querySelector('.sat-camera');
  const find = (name) => section.querySelector('.sat-camera-' + name);
  const [frame, video, note, pace, line, again] = ['frame', 'video', 'note', 'pace', 'caption', 'again'].map(find);
  const [studyButton, turnButton, full] = ['study', 'turn', 'full'].map(find);
  const starter = element.querySelector('.sat-camera-start');
  const camera = createCamera(video, () => end('liveEnded'));
  const stage = createStage(section, reduced);
  const live = () => store.get().live;
  const set = (next) => store.set({ live: next });
  let asking = null; // aborts the question under way
  let painting = null;
  let last = 0;
  let timer = 0;

  // --- the camera, on and off

  function close() {
    camera.close();
    clearTimeout(timer);
    if (asking) asking.abort();
    asking = null;
  }

  // Off, or with a word about it.
  function end(message) {
    close();
    set(message ? ended(message) : LIVE_OFF);
  }

  async function open(way) {
    close();
    const refusal = camera.refusal();
    if (refusal) return end(refusal);
    set(asked());
    store.set({ playing: false });
    try {
      if (!(await way())) return;
      const several = await camera.several();
      if (live().phase !== 'asking') return;
      set(started(live(), several));
      look();
    } catch (error) {
      if (live().phase === 'asking') end(failureOf(error));
    }
  }

  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  // One frame after the other, always the newest; the next one once the words of the last are there.
  async function look() {
    const mine = new AbortController();
    asking = mine;
    let dark = 0; // since when it sees nothing
    while (!mine.signal.aborted) {
      const taken = performance.now();
      const picture = camera.frame();
      if (!picture) {
        await new Promise(requestAnimationFrame);
      } else if (picture.dark) {
        dark = dark || taken;
        if (taken - dark > PATIENCE) return end('liveCovered');
        set(covered(live()));
        await wait(PAUSE);
      } else {
        dark = 0;
        await caption(picture, taken, mine);
      }
    }
  }

  async function caption({ jpeg }, taken, mine) {
    const patience = setTimeout(() => mine.abort(), ANSWER);
    try {
      const answer = await ask([jpeg, beamSize(), live().standing], mine.signal);
      if (mine.signal.aborted) return;
      if (answer.words) camera.captioned();
      set(answered(live(), answer, taken, performance.now()));
      if (!answer.words) await wait(PAUSE);
    } catch (error) {
      // Whoever ended it knows; what took too long, or was refused, is told.
      if (asking === mine) end(error instanceof Refusal ? error.message : 'liveLost');
    } finally {
      clearTimeout(patience);
    }
  }

  function beamSize() {
    const { settings } = store.get().data;
    return settings && settings.length ? settings[0] : 3;
  }

  function toggle() {
    if (isShowing(live())) end();
    else open(camera.open);
  }

  function studied() {
    if (!isLooking(live()) || !live().words.length) return;
    const moment = camera.moment();
    const file = fileOf(moment, MOMENT_FILE);
    const next = studying(live());
    close();
    moment.className = 'sat-camera-still';
    video.after(moment);
    set(next);
    study(file);
    timer = setTimeout(end, STUDY); // it was refused, which a toast says
  }

  // --- what is shown

  function wordButton(word) {
    const button = make('button', 'sat-camera-word', word.text);
    button.dir = 'auto';
    button.title = say('liveHold');
    button.addEventListener('click', () => set(held(live(), word.text)));
    return button;
  }

  function noteOf({ phase, message }) {
    if (phase === 'ended') return say(message) || message;
    return say('livePhases')[phase] || '';
  }

  function show(state, before) {
    const now = state.live;
    const showing = isShowing(now);
    section.hidden = !showing;
    element.classList.toggle('sat-is-live', showing);
    Object.assign(element.dataset, { live: now.phase, liveCaptions: now.captions, liveChanges: now.changes });
    tell('live', showing);
    setText(note, noteOf(now));
    section.classList.toggle('sat-camera-quiet', !isLooking(now) && now.phase !== 'studying');
    again.hidden = now.phase !== 'ended';
    turnButton.hidden = !(isLooking(now) && now.several);
    studyButton.hidden = now.phase === 'ended';
    studyButton.disabled = !isLooking(now) || !now.words.length;
    const figures = paceOf(now.samples);
    setText(pace, figures ? say('livePace', { rate: figures.rate.toFixed(1), delay: Math.round(figures.delay) }) : '');
    if (now.standing !== before.live.standing && now.standing.join(' ') !== before.live.standing.join(' ')) {
      line.replaceChildren(...now.words.flatMap((word) => [wordButton(word), ' ']));
    }
    if (now.grid.join() !== before.live.grid.join() || !isShowing(before.live)) stage.setGrid(now.grid);
    if (now.phase !== 'studying') section.querySelectorAll('.sat-camera-still').forEach((each) => each.remove());
    if (showing && painting === null) painting = requestAnimationFrame(paint);
  }

  function paint(time) {
    const state = store.get();
    painting = isShowing(state.live) && element.isConnected ? requestAnimationFrame(paint) : null;
    if (video.videoWidth) frame.style.setProperty('--live-aspect', video.videoWidth / video.videoHeight);
    const index = wordAt(state.live, performance.now(), reduced);
    [...line.children].forEach((button, at) => {
      if (button.classList.contains('sat-current') !== (at === index)) button.classList.toggle('sat-current', at === index);
      press(button, state.live.held === button.textContent);
    });
    stage.aim(state.live.phase === 'covered' ? null : liveMap(state.live, index, state));
    stage.tick(Math.min(time - last, 100), 0);
    last = time;
  }

  if (!study) return { toggle() {}, study: () => false };
  starter.hidden = false;
  starter.addEventListener('click', toggle);
  again.addEventListener('click', () => open(camera.open));
  find('end').addEventListener('click', () => end());
  studyButton.addEventListener('click', studied);
  turnButton.addEventListener('click', () => open(camera.turn));
  full.addEventListener('click', lecture);
  document.addEventListener('visibilitychange', () => document.hidden && isLooking(live()) && end('liveHidden'));
  window.addEventListener('pagehide', () => isShowing(live()) && end());
  onWished('live', toggle);
  store.subscribe(['live'], show);
  store.subscribe(['lecture'], (state) => press(full, state.lecture));
  store.subscribe(['look'], (state) => stage.setLook(state.look, state.table));
  stage.setLook(store.get().look, store.get().table);
  // Something else comes to the page: a studied moment, or a photo that was put in meanwhile.
  store.subscribe(['data'], ({ data }, before) => {
    if (data.run !== before.data.run && before.data.run > 0 && isShowing(live())) end();
  });

  return {
    toggle,
    leave: () => isShowing(live()) && end(),
    // Whether the wish to go on or halt was for the camera: a moment is studied.
    study() {
      if (!isShowing(live())) return false;
      studied();
      return true;
    },
  };
}
