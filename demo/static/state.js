// What the page shows: the last message, the caption that plays and the one beside it, and how maps are drawn.
const SHARPEST = 4; // a scale ends at four times "no preference" or higher: an even map must not look like a choice

function createState() {
  const look = { mode: 'heat', smooth: true, opacity: 0.8, scale: 'word' };
  return {
    data: { run: -1, phase: 'empty', words: [], grid: [14, 14], done: false, captions: [] },
    words: [], // of the caption that plays
    others: [], // of the one beside it
    chosen: 0, // of the captions found
    companion: -1, // the one that plays in step beside it
    preview: null, // a word pointed at
    coverage: false,
    look,
    table: colourTable(look.mode, look.opacity),

    caption() {
      return this.data.captions[this.chosen];
    },
    // The word at a place, or the last one of a caption that is shorter.
    word(step) {
      return this.words[Math.min(step, this.words.length - 1)];
    },
    count() {
      return Math.max(this.words.length, this.others.length);
    },
    // The weight at which a word's scale of colours ends.
    topOf(word) {
      if (this.look.scale === 'word') return Math.max(word.peak, SHARPEST / word.alpha.length);
      return [...this.words, ...this.others].reduce((top, each) => Math.max(top, each.peak), 1e-6);
    },
    setLook(change) {
      Object.assign(this.look, change);
      this.table = colourTable(this.look.mode, this.look.opacity);
    },
  };
}

function parsed(word) {
  return {
    text: word.w, end: word.end, alpha: decodeAlpha(word.a, word.m), map: word.a, peak: word.m, chance: word.p,
    entropy: word.h, gate: word.b, alternatives: word.alt,
  };
}

function sentence(words) {
  return words.filter((word) => !word.end).map((word) => word.text).join(' ');
}
