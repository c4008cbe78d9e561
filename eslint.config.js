import js from '@eslint/js';
import globals from 'globals';

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-undef': 'error',
      'no-unused-vars': 'error',
      'prefer-const': 'error',
      'no-var': 'error',
    },
  },
  // What decides, formats and computes knows no page; the views do.
  { files: ['demo/static/model/**'], languageOptions: { globals: globals['shared-node-browser'] } },
  { files: ['demo/static/*.js', 'demo/static/view/**'], languageOptions: { globals: globals.browser } },
  { files: ['tests/javascript/**'], languageOptions: { globals: globals.node } },
];
