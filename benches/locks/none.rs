//! Stands for what there is in parking_lot and tokio, where one of these features is off.

use crate::run::Case;

/// None.
pub(crate) fn all() -> [Case; 0] {
    []
}
