import { describe, expect, it } from 'vitest';
import { messageText } from '../../../core/mail/mails.ts';

describe('a message', () => {
  it('becomes paragraphs with nothing of the text read as HTML', () => {
    const { html } = messageText({ subject: 'Late', text: 'Ticket <b>1</b>\nis late.\n\nSee to it.' });
    expect(html).toContain('<p>Ticket &lt;b&gt;1&lt;/b&gt;<br>is late.</p>\n<p>See to it.</p>');
  });

  it('keeps HTML of its own, and its subject on one line', () => {
    expect(messageText({ subject: 'Late\r\nBcc: all@example.org', text: 'x', html: '<p>own</p>' })).toEqual({
      subject: 'Late Bcc: all@example.org',
      text: 'x',
      html: '<p>own</p>',
    });
  });
});
