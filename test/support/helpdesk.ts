/** A small helpdesk for tests of reading: people, companies, tickets, comments and tags. */
export const HELPDESK = {
  version: 1,
  entities: [
    {
      name: 'company',
      fields: [
        { name: 'name', type: 'string' },
        { name: 'region', type: 'string' },
      ],
    },
    {
      name: 'customer',
      slug: { field: 'slug', source: 'name' },
      fields: [
        { name: 'name', type: 'string' },
        { name: 'slug', type: 'string' },
        { name: 'email', type: 'email' },
        { name: 'user_id', type: 'uuid' },
        { name: 'company', type: 'relation', target: 'company' },
      ],
    },
    {
      name: 'ticket',
      soft_delete: true,
      fields: [
        { name: 'title', type: 'string' },
        { name: 'body', type: 'text' },
        { name: 'status', type: 'enum', enum: ['open', 'closed', 'held'] },
        { name: 'priority', type: 'int' },
        { name: 'views', type: 'bigint' },
        { name: 'score', type: 'float' },
        { name: 'price', type: 'decimal', precision: 2 },
        { name: 'urgent', type: 'boolean' },
        { name: 'due_on', type: 'date' },
        { name: 'opens_at', type: 'time' },
        { name: 'created_at', type: 'timestamp' },
        { name: 'meta', type: 'json' },
        { name: 'attachment', type: 'file' },
        { name: 'secret_note', type: 'text' },
        { name: 'owner_id', type: 'uuid' },
        { name: 'link', type: 'url' },
        { name: 'customer', type: 'relation', target: 'customer' },
        { name: 'parent', type: 'relation', target: 'ticket' },
      ],
    },
    {
      name: 'comment',
      soft_delete: true,
      fields: [
        { name: 'text', type: 'text' },
        { name: 'is_internal', type: 'boolean' },
        { name: 'ticket', type: 'relation', target: 'ticket' },
      ],
    },
    { name: 'tag', fields: [{ name: 'label', type: 'string' }] },
  ],
  relations: [{ name: 'ticket_tags', type: 'many_to_many', source: 'ticket', target: 'tag', join_table: 'ticket_tag' }],
};
