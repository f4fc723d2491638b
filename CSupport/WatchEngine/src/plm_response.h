#pragma once

// One response, wherever its bytes come from: head, body and end become events of a batch.

#include "plm_batch.h"
#include "plm_client.h"

struct plm_response {
    plm_client *client;
    plm_batch_builder batch;
    /// The caller has seen the batch: the next call may reuse it.
    bool is_delivered;
    /// The last event is in the batch.
    bool is_over;

    bool has_head;
    int32_t status;
    int64_t retry_after_seconds;
    char content_type[128];

    /// NULL: the body is collected.
    plm_decoder *decoder;
    plm_buffer body;
    uint64_t body_bytes;
    /// The batch's bytes as they came, where they are wanted.
    bool keeps_raw;
    plm_buffer raw;
};

/// False when memory is short; to be freed in either case.
bool plm_response_init(plm_response *response, plm_client *client,
                       const plm_projection *projection);
void plm_response_free(plm_response *response);

/// Makes room for a new batch when the last one was delivered.
void plm_response_begin(plm_response *response);
void plm_response_deliver(plm_response *response, plm_batch *batch);

bool plm_response_is_success(const plm_response *response);
/// A head begins. One may follow another: a redirection, a proxy's word.
void plm_response_begin_head(plm_response *response, int32_t status);
void plm_response_set_content_type(plm_response *response, const char *type, size_t count);
/// The head is whole: says so at once, for a quiet watch may send nothing for a long time. False
/// after a failure.
bool plm_response_finish_head(plm_response *response, int32_t http_version);
/// Takes some of the body. False after a failure.
bool plm_response_take(plm_response *response, const char *bytes, size_t count);
/// The body is over, in good order.
void plm_response_finish(plm_response *response);
/// It ends here, for such a reason.
plm_failure *plm_response_add_failure(plm_response *response, plm_failure_kind kind,
                                      const char *message);
