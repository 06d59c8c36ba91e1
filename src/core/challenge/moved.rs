//! Parked challenges on their way into the process that takes this one's place: ids, epochs, owners and remaining time
//! stay as they are. Who waits for one is not among it: the connections go over too, and wait again.

use serde::{Deserialize, Serialize};

use super::{Challenges, End, Ended, Parked};
use crate::core::ids::ChallengeId;
use crate::core::secret::{self, Secret};
use crate::core::time::Timestamp;
use crate::core::view::{ChallengeOutcome, ChallengeView};

/// All that the next process must know. An answer that its owner has not asked for yet is in here.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct MovedChallenges {
    last_epoch: u64,
    parked: Vec<MovedParked>,
    ended: Vec<MovedEnded>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MovedParked {
    view: ChallengeView,
    owner: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct MovedEnded {
    challenge_id: ChallengeId,
    epoch: u64,
    owner: String,
    end: Option<MovedEnd>,
    until: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
enum MovedEnd {
    Answered {
        user: Option<String>,
        #[serde(with = "secret::exposed")]
        secret: Secret,
    },
    Other(ChallengeOutcome),
}

impl MovedChallenges {
    /// Returns how many are parked.
    pub fn parked(&self) -> usize {
        self.parked.len()
    }
}

impl Challenges {
    /// Copies everything for the next process.
    pub(in crate::core) fn to_move(&self) -> MovedChallenges {
        let parked = self.parked.values();
        MovedChallenges {
            last_epoch: self.last_epoch,
            parked: parked
                .map(|parked| MovedParked { view: parked.view.clone(), owner: parked.owner.clone() })
                .collect(),
            ended: self.ended.iter().map(MovedEnded::from).collect(),
        }
    }

    /// Takes over what an earlier process had; whatever was here is forgotten.
    pub(in crate::core) fn take_over(&mut self, moved: MovedChallenges) {
        self.last_epoch = moved.last_epoch;
        let parked = |moved: MovedParked| {
            let MovedParked { view, owner } = moved;
            (view.challenge_id.clone(), Parked { view, owner, waiter: None })
        };
        self.parked = moved.parked.into_iter().map(parked).collect();
        self.ended = moved.ended.into_iter().map(Ended::from).collect();
    }
}

impl From<&Ended> for MovedEnded {
    fn from(ended: &Ended) -> Self {
        Self {
            challenge_id: ended.challenge_id.clone(),
            epoch: ended.epoch,
            owner: ended.owner.clone(),
            end: ended.end.as_ref().map(MovedEnd::from),
            until: ended.until,
        }
    }
}

impl From<MovedEnded> for Ended {
    fn from(moved: MovedEnded) -> Self {
        let MovedEnded { challenge_id, epoch, owner, end, until } = moved;
        Self { challenge_id, epoch, owner, end: end.map(End::from), until }
    }
}

impl From<&End> for MovedEnd {
    fn from(end: &End) -> Self {
        match end {
            End::Answered { user, secret } => Self::Answered { user: user.clone(), secret: secret.clone() },
            End::Other(outcome) => Self::Other(*outcome),
        }
    }
}

impl From<MovedEnd> for End {
    fn from(moved: MovedEnd) -> Self {
        match moved {
            MovedEnd::Answered { user, secret } => Self::Answered { user, secret },
            MovedEnd::Other(outcome) => Self::Other(outcome),
        }
    }
}
