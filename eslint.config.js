import tseslint from 'typescript-eslint';

const NODE_BUILTINS = {
  patterns: [
    {
      group: ['node:*', 'fs', 'path', 'os', 'net', 'http', 'crypto', 'child_process'],
      message: 'core and workflow code do no I/O: pass bytes, time and randomness in.',
    },
  ],
};
const PLAIN_ERRORS = {
  selector: 'ThrowStatement > NewExpression[callee.name=/^(Error|RangeError)$/]',
  message:
    'Throw an AppError (core/errors.ts), a ConfigError at start-up, or an ApplicationFailure in workflow code: it must carry a code. A TypeError says that our own code called wrongly.',
};
const ENVIRONMENT = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Settings come from loadConfig (adapters/config.ts); nothing else reads the environment.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', 'node_modules/**', '.durabase/**', 'coverage/**', 'test-results/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true, allowRethrowing: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['core/**/*.ts', 'operations/**/*.ts', 'api/**/*.ts', 'activities/**/*.ts', 'workers/**/*.ts', 'workflows/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        PLAIN_ERRORS,
        ENVIRONMENT,
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
    },
  },
  { files: ['core/**/*.ts', 'workflows/**/*.ts'], rules: { 'no-restricted-imports': ['error', NODE_BUILTINS] } },
  {
    // Tools read a default export, and the helpers of tests may say with `!` what the test has just made.
    files: ['*.config.ts', 'admin/vite.config.ts', 'admin/**/*.tsx', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
