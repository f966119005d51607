/** The CMS example: a post written, reviewed, published, commented, corrected and archived; seen from the API only. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { tellStory, type Story } from './story.ts';

let story: Story;
let post = '';
let run = '';

beforeAll(async () => {
  story = await tellStory('content-management', { anna: ['author'], edgar: ['editor'], ruth: ['reader'] });
  const author = await story.admin('POST', 'author', { name: 'Anna', email: 'anna@example.com' });
  expect(author.status, author.text).toBe(201);
  const tag = await story.admin('POST', 'tag', { name: 'Sea' });
  const made = await story.as('anna')('POST', 'post', {
    title: 'On the sea',
    body: 'It is blue.',
    author_id: author.body.data.id as string,
    tags: [tag.body.data.id as string],
  });
  expect(made.status, made.text).toBe(201);
  expect(made.body.data).toMatchObject({ slug: 'on-the-sea', status: 'draft' });
  post = made.body.data.id as string;
}, 120_000);

describe('a post', () => {
  it('is not published by its author, and not seen by readers', async () => {
    expect((await story.as('anna')('PATCH', `post/${post}`, { status: 'published' })).status).toBe(422);
    expect((await story.as('ruth')('GET', `post/${post}`)).status).toBe(404);
  });

  it('is handed to review, sent back with a word, and brought again', async () => {
    expect((await story.as('anna')('PATCH', `post/${post}`, { status: 'review' })).status).toBe(200);
    run = (await story.run(post, ({ task }) => task !== null)).id;
    const editing = story.as('edgar');
    expect((await editing('GET', '_workflows/pending?assignee=me')).body.data).toMatchObject([{ id: run }]);
    expect((await editing('POST', `_workflows/${run}/send-back`)).body.error.details).toMatchObject([{ field: 'comment' }]);
    expect((await editing('POST', `_workflows/${run}/send-back`, { comment: 'Which blue?' })).status).toBe(200);
    await vi.waitUntil(() => story.smtp.mails.some(({ to, text }) => to.includes('anna@example.com') && text.includes('Which blue?')), {
      timeout: 15_000,
    });
    expect((await story.as('anna')('PATCH', `post/${post}`, { body: 'It is navy blue.' })).status).toBe(200);
    expect((await story.as('anna')('POST', `_workflows/${run}/resubmit`)).status).toBe(200);
  });

  it('is published by the editor’s approval, once, and told to the site', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => story.as('edgar')('POST', `_workflows/${run}/approve`)));
    expect(first?.status, first?.text).toBe(200);
    expect([200, 422]).toContain(second?.status);
    const record = await story.record('post', post, ({ status }) => status === 'published');
    expect(record['published_at']).not.toBeNull();
    expect(
      (await story.run(post, ({ status }) => status === 'completed')).history.filter(({ status }) => status === 'approved'),
    ).toHaveLength(1);
    await vi.waitUntil(() => story.hooks('/content/post-published').length === 1, { timeout: 10_000 });
    expect((await story.as('ruth')('GET', `post/${post}?include=tags`)).body.data).toMatchObject({
      body: 'It is navy blue.',
      tags: [{ name: 'Sea' }],
    });
  });

  it('gets a comment that readers see when an editor has', async () => {
    const written = await story.as('ruth')('POST', 'comment', { post_id: post, author_name: 'Ruth', body: 'And grey?' });
    expect(written.status, written.text).toBe(201);
    const comments = async () => (await story.as('ruth')('GET', `comment?filter[post_id]=${post}`)).body.data as unknown[];
    expect(await comments()).toEqual([]);
    await vi.waitUntil(() => story.hooks('/content/comment-pending').length === 1, { timeout: 10_000 });
    const approved = await story.as('edgar')(
      'PATCH',
      `comment/${String(written.body.data?.id ?? story.hooks('/content/comment-pending')[0]?.record['id'])}`,
      {
        status: 'approved',
      },
    );
    expect(approved.status, approved.text).toBe(200);
    expect(await comments()).toHaveLength(1);
  });

  it('is changed by mistake, and reverted to what its history has', async () => {
    const edgar = story.as('edgar');
    expect((await edgar('PATCH', `post/${post}`, { title: 'On the see' })).status).toBe(200);
    const history = (await edgar('GET', `post/${post}/_history`)).body.data as { id: string; changes: Record<string, unknown> }[];
    const mistake = history.find(({ changes }) => 'title' in changes && Object.keys(changes).length <= 2);
    const reverted = await edgar('POST', `post/${post}/_history/${mistake?.id ?? ''}/revert`);
    expect(reverted.status, reverted.text).toBe(200);
    expect((await edgar('GET', `post/${post}`)).body.data.title).toBe('On the sea');
    expect((await edgar('PATCH', `post/${post}`, { status: 'archived' })).status).toBe(200);
    expect((await story.as('ruth')('GET', `post/${post}`)).status).toBe(404);
  });
});
