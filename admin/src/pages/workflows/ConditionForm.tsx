/** A condition: true or false, or the first case that fits. */
import { Stack, TextField, ToggleButton, ToggleButtonGroup } from '@mui/material';
import type { ReactElement } from 'react';
import { Expression } from '../../expressions/Expression.tsx';
import { useWords } from '../../i18n/words.ts';
import { readLoose } from '../../ui/json.ts';
import { useBuilder } from './builder.ts';
import { RawList } from './RawList.tsx';
import { casesOf } from './steps.ts';
import { isRaw, listOf, textOf, withPart, type Raw, type Step } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface ConditionFormProps {
  readonly step: Step;
  readonly path: string;
  readonly onChange: (step: Step) => void;
}

export function ConditionForm({ step, path, onChange }: ConditionFormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { scope, sample, errorAt } = useBuilder();
  const isSwitch = isRaw(step['switch']);
  const choose = (way: string | null): void => {
    if (way === null || (way === 'switch') === isSwitch) return;
    const { expression, switch: choice, on_true: yes, on_false: no, ...rest } = step;
    const goto = yes === undefined ? {} : { goto: yes };
    const otherwise = no === undefined ? {} : { default: no };
    const on = isRaw(choice) ? { expression: textOf(choice['on']) || 'true' } : {};
    onChange(
      (isSwitch
        ? { ...rest, ...on }
        : { ...rest, switch: { cases: [{ when: textOf(expression) || 'true', ...goto }], ...otherwise } }) as Step,
    );
  };
  return (
    <Stack spacing={2}>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={isSwitch ? 'switch' : 'truth'}
        aria-label={t('decides_by')}
        onChange={(_, way: string | null) => choose(way)}
      >
        <ToggleButton value="truth">{t('by_truth')}</ToggleButton>
        <ToggleButton value="switch">{t('by_cases')}</ToggleButton>
      </ToggleButtonGroup>
      {isSwitch ? (
        <Switch step={step} path={path} onChange={onChange} />
      ) : (
        <Expression
          label={t('condition')}
          value={textOf(step['expression'])}
          onChange={(expression) => onChange({ ...step, expression })}
          scope={scope}
          sample={sample}
          truth={{ yes: t('on_true'), no: t('on_false') }}
          error={errorAt(`${path}.expression`)}
        />
      )}
    </Stack>
  );
}

function Switch({ step, path, onChange }: ConditionFormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { scope, sample, errorAt } = useBuilder();
  const choice = isRaw(step['switch']) ? step['switch'] : {};
  const set = (changed: Raw): void => onChange({ ...step, switch: changed });
  const hasValue = choice['on'] !== undefined;
  return (
    <>
      <Expression
        label={t('switch_on')}
        hint={t('switch_on_hint')}
        value={textOf(choice['on'])}
        onChange={(on) => set(withPart(choice, 'on', on))}
        scope={scope}
        sample={sample}
        error={errorAt(`${path}.switch.on`)}
      />
      <RawList
        label={t('cases')}
        hint={t('cases_hint')}
        items={casesOf(step)}
        fresh={{ when: '' }}
        add={t('add_case')}
        onChange={(cases) => set({ ...choice, cases })}
      >
        {(one, onOne, at) =>
          hasValue ? (
            <TextField
              fullWidth
              size="small"
              label={t('case_value', { at: at + 1 })}
              value={listOf(one['when']).map(textOf).join(', ')}
              onChange={(event) => onOne({ ...one, when: valuesOf(event.target.value) })}
              error={errorAt(`${path}.switch.cases.${at}.when`) !== undefined}
              helperText={errorAt(`${path}.switch.cases.${at}.when`) ?? t('case_value_hint')}
            />
          ) : (
            <Expression
              label={t('case_when', { at: at + 1 })}
              value={textOf(one['when'])}
              onChange={(when) => onOne({ ...one, when })}
              scope={scope}
              sample={sample}
              truth={{ yes: t('case_fits'), no: t('case_fits_not') }}
              error={errorAt(`${path}.switch.cases.${at}.when`)}
            />
          )
        }
      </RawList>
    </>
  );
}

/** `open, new`: one value, or several. */
function valuesOf(typed: string): unknown {
  const parts = typed.split(/,\s*/);
  return parts.length === 1 ? readLoose(typed) : parts.map(readLoose);
}
