// The parts a photo goes through to become words, and which of them is at work.
import { FORMULAS } from './equations.js';

// ``formulas``: of each part the paper's, see captioner/equations.py for the same step in numbers.
export const PARTS = [
  { name: 'photo', formulas: ['a = CNN(photo)'] },
  { name: 'annotations', formulas: ['a = {a₁, …, a_L},  aᵢ ∈ ℝᴰ'] },
  { name: 'attention', formulas: [FORMULAS.energy, FORMULAS.alpha, FORMULAS.context] },
  { name: 'lstm', formulas: [FORMULAS.gate, FORMULAS.lstm] },
  { name: 'word', formulas: [FORMULAS.softmax] },
];
const ONCE = 2; // parts that are passed once, before the first word

// The part that is lit: while the model looks, the photo; then each word's time is shared by its parts, the first word's by
// all of them; at rest the word. -1 while there is nothing. The shares are of playback's time, not of the model's.
export function litPart({ phase, words, playing, step }, position) {
  if (phase === 'looking') return 0;
  if (!words.length || step < 0) return -1;
  if (!playing) return PARTS.length - 1;
  const first = step === 0 ? 0 : ONCE;
  const within = Math.min(Math.max(position - step, 0), 0.999);
  return first + Math.floor(within * (PARTS.length - first));
}
