"""English: every sentence of the server's that a visitor or a program can read. `{}` stands for what varies.

The player's own texts, in both languages, are in `static/model/strings.js`.
"""

# --- what a visitor's wish can be answered with instead; each has its Korean in `demo.texts.korean` ------------------

NO_PHOTO = "Please choose a photo first; the last one is no longer kept."
PHOTO_GONE = "The photo of this page is no longer kept; please put it in again."
NO_PLACE = "Please choose a place on the photo first."
NOTHING_YET = "There is no finished caption yet; please wait for one."
NO_SUCH_QUESTION = "There is no such question; please reload the page."
NO_SUCH_CAPTION = "There is no such caption on the page; please reload it."
BEFORE_A_KEPT_WORD = "{} is kept; please choose a word after it, or do not keep that change."
NO_BEGINNING = "Please choose a word of the search that was dropped."
SENTENCE_OF_ONES_OWN = "Your sentence has words of its own; please do not keep the word that was said."
NO_SUCH_EXAMPLE = "There is no such example; please reload the page."
NO_SUCH_FILE = "The kind of file must be one of {}, got {}"
NOW_DRAWN = "At temperature 0 no word is drawn, so the temperature is now {}."
LINE_IS_FULL = "{} are waiting already; please try again in a few minutes."

NOT_WHOLE = "{} must be a whole number, got {}"
NOT_SO_MANY = "{} must be {} numbers, got {}"
NO_WORDS = "{} must be a list of words, got {}"
NOT_TEXT = "{} must be text, got {}"
NOT_ONE_OF = "{} must be one of {}, got {}"
NO_ROWS = "{} must be {} rows of {} numbers, got {}"
OTHER_ROWS = "{} must be {} rows of {} numbers, got {} rows of {}"
NO_WEIGHTS = "{} must hold finite numbers from 0 up"
ALL_ZERO = "{} must not be 0 everywhere"
NO_MASK = "mask must hold only 0 and 1"

UNREADABLE_EVENT = "That message could not be read; please reload the page."
FAILED = "Something went wrong on the server; please try again."
PHOTO_NOT_FETCHED = "Photos are not fetched from addresses; please send the file itself."
NOT_SENT = "That file was not sent to this page; please send a photo."
NO_PHOTO_SENT = "Please send a photo."
TOO_FEW_VALUES = "Please send all {} values; only {} came."
INCOMPLETE = "The end of this file is missing; the caption is of the part that is there."
TOO_LARGE_UPLOAD = "This file is over the maximum allowed size of {} MB; please shrink it."

# --- what the door answers to a request that no page makes ----------------------------------------------------------

TOO_LARGE_MESSAGE = "This message is over the maximum allowed size of {} MB; please send less."
BROKEN_OFF = "This did not arrive in whole; please send it again."
CLOSED = "This page does not offer that."
FILE_NOT_FETCHED = "Addresses are not fetched here; please ask for a file of this page."
UNREADABLE_MESSAGE = "This message could not be read; please send JSON as the API description says."
NO_ENDPOINT = "There is no such endpoint; please see the API description."
WRONG_FIELD = "The field {} is of the wrong kind; please see the API description."
NO_BATCHES = "No endpoint here takes batches; please send one photo at a time."
WRONG_SESSION = "The field session_hash must be 1 to 64 letters, digits, - or _."

# --- the page: the words around the player ---------------------------------------------------------------------------

TITLE = "Show, Attend and Tell, live"
PAGE = {
    "photo": "Your photo",
    "photo_hint": "# Your photo\nDrop, click or paste",
    "beam": "Beam size",
    "beam_hint": "Captions kept in the race",
    "temperature": "Temperature",
    "temperature_hint": "0: likeliest words. Above: drawn",
    "seed": "Seed",
    "seed_hint": "Same seed, same draw. At temperature 0 nothing is drawn.",
    "dice": "New seed",
    "stop": "Stop",
    "settings": "Search settings",
    "about": "About this model",
}

# --- the glossary: of each word the forms in which it stands on the page, and one sentence ----------------------------

GLOSSARY = {
    "nats": {
        "forms": ["nats", "nat"],
        "says": "Nats measure logarithms to base e: a log-probability that is 1 nat lower is e ≈ 2.7 times less "
        "likely, and an entropy of n nats is that of eⁿ cells of equal weight.",
    },
    "gate": {
        "forms": ["gate", "β"],
        "says": "The gate β, from 0 to 1, is computed from the LSTM's state before each word and scales how much of "
        "what attention has read goes into the LSTM.",
    },
    "beam": {
        "forms": ["beam", "beam size"],
        "says": "A beam search keeps, after every word, as many of the likeliest beginnings as the beam size says, and "
        "ranks the captions that they end in.",
    },
    "temperature": {
        "forms": ["temperature"],
        "says": "At temperature 0 the search keeps the likeliest words; above 0 words are drawn, and the higher it is, "
        "the more evenly.",
    },
    "focus": {
        "forms": ["focus"],
        "says": "Focus is how far the map's entropy lies below that of an even map: a full bar is one cell alone, an "
        "empty bar all cells alike.",
    },
    "log-probability": {
        "forms": ["log-probability", "log-probabilities"],
        "says": "The log-probability is the natural logarithm of how likely the model finds a word here, and for a "
        "sentence the sum over its words and its end; 0 would be certain.",
    },
}

SHAPE = (
    "ResNet with {} layers, {}×{} cells; LSTM of {}, {:,} words; stored as {}. "
    "Here its encoder computes in the form {}, by {}."
)
OWN_MAP = "the word's own map"

# --- the page: what it says about the model; what the card says comes from the card ----------------------------------

LEAD = "The model “{0}” looks at a photo in {1}×{1} cells and writes about it with {2:,} words."
TRAINED_HEAD = "What it was trained on"
GOOD_HEAD = "How good it is"
LOOKS_HEAD = "Where it looks"
LIMITS_HEAD = "What it cannot do"
TERMS_HEAD = "How it may be used"
NUMBERS_HEAD = "All that was measured"
OPEN_NUMBERS = "Show every number"

OWN_MODEL = "This model (val)"
PUBLISHED = {
    "hard": "Hard attention, Xu et al. 2015 (test)",
    "soft": "Soft attention, Xu et al. 2015 (test)",
    "told": "Show and Tell, Vinyals et al. 2014 (test)",
}
BLEU = {
    "BLEU-1": "How many percent of its words stand in people’s captions of the same photo too; brevity costs points.",
    "BLEU-4": "The same for runs of one, two, three and four words on end, as their geometric mean.",
}
PUBLISHED_NOTE = (
    "This model: {}. The others: as published on the test photos of Flickr8k, in Table 1 of Xu et al. 2015, “Show, "
    "Attend and Tell”, which has no BLEU-4 of Show and Tell. So the photos are not the same, nor are the encoders and "
    "the photos for training: this shows about where it stands and is no ranking. All bars begin at 0; the longest "
    "of a picture is full."
)
PUBLISHED_TABLE = "Published on flickr8k test (Xu et al. 2015, Table 1)"
MEASURES = {
    "pointing": (
        "Pointing",
        "How often the strongest cell lies in a box that people drew around the thing the word names; 1 is always.",
    ),
    "correctness": (
        "Correctness",
        "How much of the attention lies in such a box; 1 is all of it.",
    ),
    "normalised entropy": (
        "Spread (normalised entropy)",
        "How widely a word’s attention is spread: 0 is one cell alone, 1 is all cells alike.",
    ),
    "distance between words": (
        "Distance between words",
        "How far the maps of two words of a caption differ: 0 is not at all, 1 is no cell in common.",
    ),
    "whole photo": ("The whole photo", "A noun’s mean log-probability, in nats, when every cell is there."),
    "deletion": (
        "Deletion",
        "A noun’s mean log-probability while cells give way to the photo’s mean, the most attended first.",
    ),
    "insertion": (
        "Insertion",
        "A noun’s mean log-probability while the cells come back, the most attended first.",
    ),
    "random order": (
        "Random order",
        "A noun’s mean log-probability while cells give way to the photo’s mean in a random order.",
    ),
    "mean annotation alone": (
        "The mean alone",
        "A noun’s mean log-probability when every cell has given way to the photo’s mean.",
    ),
}
CAUSE = (
    "A map shows where the model looked, which is no proof of why it chose a word. In brackets: how many nouns. All "
    "bars begin at 0; the longest of a picture is full."
)
FAILURES = "Photos it got wrong"
FAILURE_SHOWN = "On the photo: "
FAILURE_WRITTEN = "It wrote: "
VALUE = "value"

# --- the named endpoints: what each does, takes and returns ----------------------------------------------------------

CAPTION = (
    "Caption a photo, streaming. Returns after every word an object with `caption` (the sentence so far), `log_prob` "
    "(nats), `done`, `finished`, `grid` and `words`; each word has `word`, `probability`, `attention` (14×14 "
    "bytes in base64, row-major, 255 = `largest`), `largest` (weight of a cell), `entropy` (nats), `gate` (0 to 1) and "
    "`alternatives` (likeliest words with probabilities). The sentence may change until `done`."
)
SCORE = (
    "How likely the model finds your own sentence for a photo, and where it looks for each word; as `/caption`. A word "
    "that it does not know is listed in `unknown` and has no `probability`, and the sentence then has no `log_prob` "
    "(both null)."
)
BEGIN_WITH = "Caption a photo with a sentence that begins with your words; returns the object of `/caption`, once."
PAIR = "Returns `before`, the model's own caption, and `after`, both as `/caption`"
ANOTHER_WORD = (
    f"Put `word` at `position` (0 is the first) of the model's caption; the model goes on from there. {PAIR}."
)
LOOK_ELSEWHERE = (
    "Replace the attention of the word at `position` (0 is the first) of the model's caption; the model goes on from "
    f"there. {PAIR}, and `change`: `position`, the `word` before, and `words`, each likely word with its probability "
    "before and after."
)
HIDE = f"Paint a region over with the mean colour of photos, look again, caption again. {PAIR}, of the painted photo."
NO_ATTENTION = f"Caption with every attention map uniform, so that every word reads the photo's plain mean. {PAIR}."
EXPLAIN = (
    "The paper's equations of the step that weighs the word at `position` (0 is the first; the place after the last "
    "is that of `<end>`) of a sentence, in numbers: `energies`, `alpha` and `shares` (of the context), each a list of "
    "rows; `context_norm`, `beta`, `gated_norm`; `gates` of the LSTM (means); `words` (word, logit, probability) and "
    "`log_normalizer`; `previous`, the word fed in."
)

PHOTO_ARGUMENT = "a photo's file, sent with handle_file; an address is not fetched"
BEAM_ARGUMENT = "captions kept in the race, 1 to 20"
TEMPERATURE_ARGUMENT = "0 is deterministic; above, up to 10, captions are drawn"
SEED_ARGUMENT = "of the draws, 0 to 2**32 - 1"
SENTENCE_ARGUMENT = "a caption of your own"
BEGINNING_ARGUMENT = "the caption's first words"
WORD_ARGUMENT = "one that the model knows; <end> ends the caption"
POSITION_ARGUMENT = "of a word; 0 is the first"
ATTENTION_ARGUMENT = "{} rows of {} numbers from 0 up; made to sum to 1"
MASK_ARGUMENT = "{} rows of {} numbers, 1 where to hide and 0 elsewhere"
ANSWER = "what the endpoint's description says"
