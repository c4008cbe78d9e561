// Texts of the player in English and Korean; the page's language chooses.
const TEXTS = {
  en: {
    play: 'Play', pause: 'Pause', previous: 'Previous word', next: 'Next word', loop: 'Loop', speed: 'Speed',
    scrub: 'Position in the caption', heat: 'Heat', spotlight: 'Spotlight', smooth: 'Smooth', cells: 'Cells',
    scaleCaption: 'One scale', scaleWord: 'Scale per word', opacity: 'Strength', look: 'Look', words: 'All words',
    empty: 'Drop a photo anywhere on this page', looking: 'Looking at the photo…', guessing: 'Leading guess',
    writing: 'Writing…', done: '', stopped: 'Stopped', drop: 'Drop the photo here', caption: 'Caption', end: 'end',
    cut: 'The length limit came before the end of the sentence.',
    likeliest: 'Likeliest words here', focus: 'Focus', gate: 'Gate',
    focusLine: 'Attention worth {cells} of {all} cells (entropy {nats} nats).',
    gateLine: 'How much of what it sees it lets in for this word.',
    shared: 'All these words share one map: the model looks first, then chooses.',
    cause: 'The map shows where it looked, which is not proof of why it chose the word.',
    none: 'no preference', nobody: 'The words appear here.', map: '{word}: {place}, {share} of the attention',
    photo: 'The photo being captioned', legend: 'attention in one cell', examples: 'Example photos',
    Astronaut: 'Astronaut', Cat: 'Cat', Coffee: 'Coffee', Rocket: 'Rocket',
    keys: 'Space plays, ← → step, 1–9 jump, F lecture, C coverage',
    race: 'Captions the search found', nats: '{nats} nats', lecture: 'Lecture mode (F)', coverage: 'Coverage',
    coverageLine: 'Attention summed over all words. In training, the doubly stochastic term asks that no part of the photo is left out.',
    even: 'even share', energyLine: 'energy of this cell, below the highest', alphaLine: 'attention on this cell',
    contextLine: 'context, through the gate', lstmLine: 'the word before goes in', softmaxLine: 'probability of “{word}”',
    places: ['top left', 'top centre', 'top right', 'centre left', 'centre', 'centre right', 'bottom left',
      'bottom centre', 'bottom right'],
  },
  ko: {
    play: '재생', pause: '일시정지', previous: '이전 단어', next: '다음 단어', loop: '반복', speed: '속도',
    scrub: '문장 속 위치', heat: '열지도', spotlight: '조명', smooth: '부드럽게', cells: '칸 그대로',
    scaleCaption: '공통 눈금', scaleWord: '단어별 눈금', opacity: '세기', look: '보기', words: '모든 단어',
    empty: '사진을 이 페이지에 끌어다 놓으세요', looking: '사진을 보는 중…', guessing: '현재 선두',
    writing: '쓰는 중…', done: '', stopped: '멈춤', drop: '여기에 사진을 놓으세요', caption: '설명문', end: '끝',
    cut: '문장이 끝나기 전에 길이 한도에 닿았습니다.',
    likeliest: '이 자리의 유력한 단어', focus: '집중', gate: '게이트',
    focusLine: '{all}칸 중 {cells}칸만큼의 주의 (엔트로피 {nats}나트).',
    gateLine: '이 단어를 쓸 때 본 것을 얼마나 받아들였는지.',
    shared: '이 단어들은 지도 하나를 함께 씁니다. 모델은 먼저 보고, 그다음에 고릅니다.',
    cause: '지도는 어디를 보았는지를 보여 줄 뿐, 왜 그 단어인지의 증명은 아닙니다.',
    none: '치우침 없음', nobody: '단어가 여기에 나타납니다.', map: '{word}: {place}, 주의의 {share}',
    photo: '설명할 사진', legend: '한 칸의 주의', examples: '예시 사진',
    Astronaut: '우주인', Cat: '고양이', Coffee: '커피', Rocket: '로켓',
    keys: '스페이스 재생, ← → 이동, 1–9 바로 가기, F 강의, C 누적',
    race: '탐색이 찾은 문장들', nats: '{nats}나트', lecture: '강의 모드 (F)', coverage: '누적',
    coverageLine: '모든 단어의 주의를 더한 지도입니다. 학습의 이중 확률 항은 사진의 어느 부분도 빠뜨리지 말라고 요구합니다.',
    even: '고른 몫', energyLine: '이 칸의 에너지 (최고 대비)', alphaLine: '이 칸의 주의',
    contextLine: '게이트를 지난 문맥', lstmLine: '앞 단어가 들어감', softmaxLine: '“{word}”의 확률',
    places: ['왼쪽 위', '가운데 위', '오른쪽 위', '왼쪽 가운데', '한가운데', '오른쪽 가운데', '왼쪽 아래',
      '가운데 아래', '오른쪽 아래'],
  },
};

const LANGUAGE = (navigator.language || 'en').toLowerCase().startsWith('ko') ? 'ko' : 'en';

function say(key, values) {
  const text = TEXTS[LANGUAGE][key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

function percent(share, digits) {
  const shown = digits === undefined ? (share < 0.1 ? 1 : 0) : digits;
  return (100 * share).toFixed(shown) + ' %';
}
