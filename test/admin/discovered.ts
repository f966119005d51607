/** A field as discovery tells of it, with nothing special about it but what is given. */
import type { DiscoveredField } from '../../admin/src/discovery.ts';

export const field = (name: string, type: DiscoveredField['type'] = 'string', more: Partial<DiscoveredField> = {}): DiscoveredField => ({
  name,
  label: name,
  type,
  required: false,
  unique: false,
  enum: null,
  default: null,
  auto: false,
  computed: false,
  min: null,
  max: null,
  min_length: null,
  max_length: null,
  pattern: null,
  precision: null,
  description: null,
  hidden: false,
  readable: true,
  writable: true,
  references: null,
  ...more,
});
