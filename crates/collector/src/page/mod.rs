//! The page: a few files of HTML, CSS and JavaScript, as they are in `web/`, and what browsers may do with them.
//!
//! Names and values come from whoever can send events. The page puts them on the screen as text and as nothing else
//! (`web/dom.js`), and the browser is told to run no script but the files here, to load nothing from elsewhere, and to
//! turn no text into markup.

mod assets;

pub(crate) use assets::{file, index};
